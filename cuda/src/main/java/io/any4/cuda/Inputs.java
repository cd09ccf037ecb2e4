package io.any4.cuda;

import org.jspecify.annotations.Nullable;

/// The numbers of the host that launches read: positions, token ids, rows, factors.
///
/// They lie in device memory at the same place in every step, so that the launches of one decode step equal
/// those of the next and a graph of them can be replayed. Those that go up by as much as there are tokens
/// (positions, numbers of draws) lie apart: a step that chooses its token ends by raising them itself, so that
/// the next one finds everything in place and the host has nothing to send.
final class Inputs {
    /// 32-bit numbers there is room for, of either kind.
    static final int CAPACITY = 1 << 18;

    /// Where the numbers of an operation are.
    ///
    /// @param numbers device address of the first
    /// @param counter device address of the number that goes up, if it has one
    record Place(long numbers, long counter) {}

    private static final int MIXED = -1;

    private final Region numbers;
    private final Region counters;
    private int step;

    Inputs(Gpu gpu) {
        numbers = new Region(gpu, CAPACITY);
        counters = new Region(gpu, CAPACITY);
    }

    /// Adds the numbers of an operation.
    Place add(Op op) {
        Place place = new Place(numbers.end(), counters.end());
        switch (op) {
            case Op.Embed embed -> numbers.add(embed.ids());
            case Op.Gather gather -> numbers.add(gather.rows());
            case Op.Scatter scatter -> {
                numbers.add(scatter.rows());
                for (float factor : scatter.factors()) {
                    numbers.add(Float.floatToRawIntBits(factor));
                }
            }
            case Op.Rotate rotate -> count(rotate.position(), rotate.span().tokens());
            case Op.Store store -> count(store.position(), store.span().tokens());
            case Op.Attend attend -> count(attend.position(), attend.span().tokens());
            case Op.Choose choose -> {
                numbers.add(ChooseLowering.numbers(choose));
                count(choose.draw(), 1);
            }
            case Op.EmbedChosen e -> throw none(e);
            case Op.MatMul m -> throw none(m);
            case Op.AddBias b -> throw none(b);
            case Op.Add a -> throw none(a);
            case Op.Norm n -> throw none(n);
            case Op.Swiglu s -> throw none(s);
            case Op.Transform t -> throw none(t);
            case Op.Route r -> throw none(r);
            case Op.RoutedMatMul m -> throw none(m);
            case Op.Combine c -> throw none(c);
        }
        return place;
    }

    private void count(int value, int by) {
        step = counters.count() == 0 || step == by ? by : MIXED;
        counters.add(value);
    }

    private static IllegalArgumentException none(Op op) {
        return new IllegalArgumentException("no numbers of the host in " + op);
    }

    /// The launch that raises what has been added, or null if not everything goes up by the same.
    @Nullable
    Launch advance() {
        return counters.count() == 0 || step == MIXED
                ? null
                : Launches.advance(counters.begin(), counters.count(), step);
    }

    /// Sends everything added, unless the device has it, and starts afresh.
    ///
    /// @param advancing whether the launches that follow end with [#advance]
    void send(boolean advancing) {
        numbers.send();
        counters.send();
        if (advancing) {
            counters.raise(step);
        }
    }

    /// Numbers that an operation will add.
    static int needs(Op op) {
        return switch (op) {
            case Op.Embed embed -> embed.ids().length;
            case Op.Gather gather -> gather.rows().length;
            case Op.Scatter scatter -> 2 * scatter.rows().length;
            case Op.Rotate r -> 1;
            case Op.Store s -> 1;
            case Op.Attend a -> 1;
            case Op.Choose c -> 1 + ChooseLowering.NUMBERS;
            case Op.EmbedChosen e -> 0;
            case Op.MatMul m -> 0;
            case Op.AddBias b -> 0;
            case Op.Add a -> 0;
            case Op.Norm n -> 0;
            case Op.Swiglu s -> 0;
            case Op.Transform t -> 0;
            case Op.Route r -> 0;
            case Op.RoutedMatMul m -> 0;
            case Op.Combine c -> 0;
        };
    }
}
