package io.any4.bench;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// What a thread's arithmetic can do at best: independent chains of multiply-adds that touch no memory.
///
/// Processors change their speed from one moment to the next, so what is measured beside it is measured right before
/// and after.
final class MultiplyAdds {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int ROUNDS = 2_000_000;
    private static final int CHAINS = 8;

    /// Keeps the sums from being optimised away.
    private static volatile float sum;

    private MultiplyAdds() {}

    /// 32-bit operations per nanosecond, two for each multiply-add, on the calling thread.
    static double gigaFlops() {
        long start = System.nanoTime();
        sum = run(ROUNDS);
        return 2.0 * CHAINS * FLOATS.length() * ROUNDS / (System.nanoTime() - start);
    }

    private static float run(int rounds) {
        FloatVector x = FloatVector.broadcast(FLOATS, 0.5f);
        FloatVector y = FloatVector.broadcast(FLOATS, 0.25f);
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        FloatVector e = a;
        FloatVector f = a;
        FloatVector g = a;
        FloatVector h = a;
        for (int i = 0; i < rounds; i++) {
            a = a.fma(x, y);
            b = b.fma(x, y);
            c = c.fma(x, y);
            d = d.fma(x, y);
            e = e.fma(x, y);
            f = f.fma(x, y);
            g = g.fma(x, y);
            h = h.fma(x, y);
        }
        return a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).lane(0);
    }
}
