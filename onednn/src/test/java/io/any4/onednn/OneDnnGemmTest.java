package io.any4.onednn;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.DenseWeight;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products by the real library: fails where it is absent or would not be used.
@Tag("onednn")
class OneDnnGemmTest {
    private static final long SEED = 20250704;

    private final Random random = new Random(SEED);

    @ParameterizedTest
    @CsvSource({"1, 8, 32", "64, 512, 64", "150, 1000, 200", "300, 2048, 33"})
    void agreesWithSumsOfRoundedNumbers(int rows, int columns, int tokens) {
        DenseWeight weight = weight(rows, columns);
        float[] x = numbers(tokens * columns);
        float[] y = product(weight, x, tokens, 2);
        float[] tokenValues = rounded(x);
        float[] row = new float[columns];
        for (int r = 0; r < rows; r++) {
            weight.dequantizeRow(r, row, 0);
            float[] rowValues = rounded(row);
            for (int t = 0; t < tokens; t++) {
                double sum = 0;
                double magnitude = 0;
                for (int c = 0; c < columns; c++) {
                    double product = (double) rowValues[c] * tokenValues[t * columns + c];
                    sum += product;
                    magnitude += Math.abs(product);
                }
                assertThat(Math.abs(y[t * rows + r] - sum))
                        .as("row %d, token %d, seed %d", r, t, SEED)
                        .isLessThanOrEqualTo(2e-6 * magnitude);
            }
        }
    }

    @Test
    void doesNotDependOnThreadsOrOtherTokens() {
        DenseWeight weight = weight(333, 700);
        float[] x = numbers(100 * 700);
        float[] expected = product(weight, x, 100, 1);
        assertThat(product(weight, x, 100, 3)).isEqualTo(expected);
        float[] fewer = product(weight, Arrays.copyOf(x, 70 * 700), 70, 2);
        assertThat(fewer).isEqualTo(Arrays.copyOf(expected, fewer.length));
    }

    @Test
    void theDeviceSaysSo() {
        try (CpuDevice device = CpuDevice.open(new CpuOptions(1, true, new OneDnnAccelerator()))) {
            assertThat(device.describe()).contains("prompts by oneDNN 3.");
        }
    }

    private DenseWeight weight(int rows, int columns) {
        return new DenseWeight(Tensor.ofFloats(DType.F32, numbers(rows * columns), rows, columns));
    }

    private float[] numbers(int count) {
        float[] out = new float[count];
        for (int i = 0; i < count; i++) {
            out[i] = (float) random.nextGaussian();
        }
        return out;
    }

    private static float[] rounded(float[] values) {
        return Tensor.ofFloats(DType.BF16, values, values.length).toFloats();
    }

    private static float[] product(DenseWeight weight, float[] x, int tokens, int threads) {
        try (CpuDevice device = CpuDevice.open(new CpuOptions(threads, true, new OneDnnAccelerator()))) {
            Buffer input = device.allocate(x.length);
            device.write(x, input, 0);
            Buffer y = device.allocate((long) tokens * weight.rows());
            device.matmul(device.prepare(weight), input, tokens, y);
            float[] out = new float[tokens * weight.rows()];
            device.read(y, 0, out, out.length);
            return out;
        }
    }
}
