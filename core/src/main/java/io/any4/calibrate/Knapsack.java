package io.any4.calibrate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The multiple-choice knapsack problem, solved exactly: one option for every item, with the least total loss that a
/// budget allows.
///
/// Dynamic programming over the sets of partial choices of which none is both dearer and worse than another.
final class Knapsack {
    /// @param cost in whole units
    /// @param loss to be minimised in sum
    record Option(long cost, double loss) {}

    private record Partial(
            long cost, double loss, int choice, @Nullable Partial before) {}

    private Knapsack() {}

    /// @param items their options, at least one each
    /// @return the index of each item's option, or null if even the cheapest exceed the budget
    static int @Nullable [] solve(List<List<Option>> items, long budget) {
        long[] cheapestAfter = new long[items.size() + 1];
        for (int i = items.size() - 1; i >= 0; i--) {
            long cheapest = items.get(i).stream().mapToLong(Option::cost).min().orElseThrow();
            cheapestAfter[i] = cheapestAfter[i + 1] + cheapest;
        }
        List<Partial> front = List.of(new Partial(0, 0, -1, null));
        for (int i = 0; i < items.size(); i++) {
            front = extended(front, items.get(i), budget - cheapestAfter[i + 1]);
        }
        return front.isEmpty() ? null : choices(front.getLast(), items.size());
    }

    private static List<Partial> extended(List<Partial> front, List<Option> options, long limit) {
        List<Partial> all = new ArrayList<>();
        for (int choice = 0; choice < options.size(); choice++) {
            Option option = options.get(choice);
            for (Partial partial : front) {
                long cost = partial.cost() + option.cost();
                if (cost <= limit) {
                    all.add(new Partial(cost, partial.loss() + option.loss(), choice, partial));
                }
            }
        }
        all.sort(Comparator.comparingLong(Partial::cost).thenComparingDouble(Partial::loss));
        List<Partial> kept = new ArrayList<>();
        double least = Double.POSITIVE_INFINITY;
        for (Partial partial : all) {
            if (partial.loss() < least) {
                kept.add(partial);
                least = partial.loss();
            }
        }
        return kept;
    }

    private static int[] choices(Partial last, int count) {
        int[] choices = new int[count];
        Arrays.fill(choices, -1);
        Partial partial = last;
        for (int i = count - 1; i >= 0 && partial != null; i--) {
            choices[i] = partial.choice();
            partial = partial.before();
        }
        return choices;
    }
}
