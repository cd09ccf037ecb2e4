package io.any4.tinygemm;

/// Working memory of one thread, kept between operations so that a token allocates nothing.
final class Scratch {
    private static final ThreadLocal<Scratch> OWN = ThreadLocal.withInitial(Scratch::new);

    private float[] floats = new float[0];

    private Scratch() {}

    /// At least `length` floats of the calling thread, with whatever is in them; the next call returns the same array.
    static float[] floats(int length) {
        Scratch own = OWN.get();
        if (own.floats.length < length) {
            own.floats = new float[Math.max(length, 1 << 14)];
        }
        return own.floats;
    }
}
