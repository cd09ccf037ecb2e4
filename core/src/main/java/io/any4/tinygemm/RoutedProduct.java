package io.any4.tinygemm;

/// Products of a [CpuDevice] with the matrices that were chosen: those rows that take the same are brought
/// together, so that it is read once. Keeps its working memory.
final class RoutedProduct {
    /// Multiplies rows as [Device#matmul(Matrix, Buffer, int, Buffer)] does.
    @FunctionalInterface
    interface Product {
        void run(CpuMatrix w, float[] x, int tokens, float[] y);
    }

    private final Product product;
    private int[] slots = {};
    private float[] inputs = {};
    private float[] outputs = {};

    RoutedProduct(Product product) {
        this.product = product;
    }

    /// [Device#matmul(MatrixStack, Routes, boolean, Buffer, Buffer)].
    void run(CpuStack w, Routes routes, boolean shared, float[] x, float[] y) {
        reserve(routes.slots(), w);
        float[] pairs = CpuBuffer.of(routes.pairs());
        for (int m = 0; m < w.count(); m++) {
            int count = 0;
            for (int slot = 0; slot < routes.slots(); slot++) {
                if (pairs[2 * slot] == m) {
                    slots[count++] = slot;
                }
            }
            if (count > 0) {
                multiply((CpuMatrix) w.matrices().get(m), count, shared ? routes.perToken() : 1, x, y);
            }
        }
    }

    private void reserve(int count, CpuStack w) {
        if (slots.length < count) {
            slots = new int[count];
        }
        if (inputs.length < count * w.columns()) {
            inputs = new float[count * w.columns()];
        }
        if (outputs.length < count * w.rows()) {
            outputs = new float[count * w.rows()];
        }
    }

    /// `y[slot] = w x[slot / choices]` for the first `count` slots.
    private void multiply(CpuMatrix w, int count, int choices, float[] x, float[] y) {
        int columns = w.columns();
        int rows = w.rows();
        for (int i = 0; i < count; i++) {
            System.arraycopy(x, slots[i] / choices * columns, inputs, i * columns, columns);
        }
        product.run(w, inputs, count, outputs);
        for (int i = 0; i < count; i++) {
            System.arraycopy(outputs, i * rows, y, slots[i] * rows, rows);
        }
    }
}
