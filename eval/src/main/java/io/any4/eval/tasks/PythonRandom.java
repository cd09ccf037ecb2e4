package io.any4.eval.tasks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;

/// Draws what Python's `random.Random(seed)` draws: few-shot examples and resamples are part of a benchmark's result.
///
/// The generator is Matsumoto and Nishimura's MT19937; what Python adds is how its numbers become choices.
final class PythonRandom {
    private final UniformRandomProvider generator;

    /// @param seed not negative
    PythonRandom(int seed) {
        generator = RandomSource.MT.create(new int[] {seed});
    }

    /// `int(random() * n)`, which is how `choices` draws.
    int choice(int n) {
        return (int) (nextDouble() * n);
    }

    /// `random()`: 53 bits of two numbers.
    double nextDouble() {
        long high = generator.nextInt() >>> 5;
        long low = generator.nextInt() >>> 6;
        return (high * 0x1p26 + low) * 0x1p-53;
    }

    /// `sample(population, k)`: `k` different elements.
    ///
    /// @param k at most the size of the population
    <T> List<T> sample(List<T> population, int k) {
        int n = population.size();
        return n <= poolLimit(k) ? fromPool(population, k) : byRejection(population, k);
    }

    /// Up to this size Python copies the population, beyond it remembers what it has drawn.
    private static int poolLimit(int k) {
        int limit = 21;
        if (k > 5) {
            limit += (int) Math.pow(4, Math.ceil(Math.log(k * 3) / Math.log(4)));
        }
        return limit;
    }

    private <T> List<T> fromPool(List<T> population, int k) {
        List<T> pool = new ArrayList<>(population);
        List<T> drawn = new ArrayList<>();
        for (int i = 0; i < k; i++) {
            int last = pool.size() - 1 - i;
            int j = below(last + 1);
            drawn.add(pool.get(j));
            Collections.swap(pool, j, last);
        }
        return drawn;
    }

    private <T> List<T> byRejection(List<T> population, int k) {
        LinkedHashSet<Integer> indices = new LinkedHashSet<>();
        while (indices.size() < k) {
            indices.add(below(population.size()));
        }
        return indices.stream().<T>map(population::get).toList();
    }

    /// Uniform below `n`: as many high bits as `n` has, again until they fit.
    private int below(int n) {
        int bits = Integer.SIZE - Integer.numberOfLeadingZeros(n);
        int drawn;
        do {
            drawn = generator.nextInt() >>> (Integer.SIZE - bits);
        } while (drawn >= n);
        return drawn;
    }
}
