package io.any4.tinygemm;

/// The indices of an array from the largest value down, found only as far as they are asked for.
///
/// A heap: building it takes linear time and each rank after that logarithmic time, so that the few best of a large
/// vocabulary cost far less than sorting it. Of equal values the lower index comes first.
final class Ranking {
    private double[] values = new double[0];
    /// The heap of indices, followed by those taken off it, the latest first.
    private int[] heap = new int[0];
    private int size;

    /// Ranks these values, which must not change meanwhile.
    void of(double[] values) {
        this.values = values;
        size = values.length;
        if (heap.length != size) {
            heap = new int[size];
        }
        for (int i = 0; i < size; i++) {
            heap[i] = i;
        }
        for (int i = size / 2 - 1; i >= 0; i--) {
            siftDown(i);
        }
    }

    /// The index of the value that has `rank` larger ones.
    int at(int rank) {
        while (heap.length - size <= rank) {
            int best = heap[0];
            heap[0] = heap[--size];
            heap[size] = best;
            siftDown(0);
        }
        return heap[heap.length - 1 - rank];
    }

    private void siftDown(int from) {
        int index = heap[from];
        int at = from;
        for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && before(heap[child + 1], heap[child])) {
                child++;
            }
            if (!before(heap[child], index)) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        if (at < size) {
            heap[at] = index;
        }
    }

    private boolean before(int a, int b) {
        return values[a] > values[b] || values[a] == values[b] && a < b;
    }
}
