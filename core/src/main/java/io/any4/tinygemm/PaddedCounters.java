package io.any4.tinygemm;

import java.util.concurrent.atomic.AtomicLongArray;

/// Counters that several threads share, each on cache lines of its own: a thread that changes one does not
/// take from the others what they are reading.
final class PaddedCounters {
    /// Longs from one counter to the next: two lines of 64 bytes, which processors fetch in pairs.
    private static final int APART = 16;

    private final AtomicLongArray values;

    PaddedCounters(int count) {
        values = new AtomicLongArray((count + 1) * APART); // what lies before the first and behind the last is padding
    }

    private static int place(int counter) {
        return (counter + 1) * APART - 1;
    }

    long get(int counter) {
        return values.get(place(counter));
    }

    void set(int counter, long value) {
        values.set(place(counter), value);
    }

    /// Sees what was written before [#setRelease], but may see an old value.
    long getAcquire(int counter) {
        return values.getAcquire(place(counter));
    }

    /// Publishes what was written before; what follows may overtake it.
    void setRelease(int counter, long value) {
        values.setRelease(place(counter), value);
    }

    /// Takes one off, and returns how many there were.
    long takeOne(int counter) {
        return values.getAndDecrement(place(counter));
    }
}
