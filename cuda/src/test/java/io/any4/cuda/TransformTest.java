package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.FloatActivations;
import io.any4.tinygemm.FpFormat;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Rotation;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Input transforms on interpreted kernels, against those of the host.
class TransformTest {
    private static SimGpu gpu;
    private static CudaDevice device;
    private static final int ROWS = 2;

    private final RandomWeights random = new RandomWeights(81);

    @BeforeAll
    static void open() {
        gpu = new SimGpu(KernelSet.BF16_SM90);
        device = new CudaDevice(() -> gpu, Activation.BF16);
    }

    @AfterAll
    static void close() {
        device.close();
    }

    /// Odd; powers of two within a block and beyond; a dense factor of 12 and of 28; blocks that do not mix.
    @ParameterizedTest
    @ValueSource(ints = {45, 64, 2048, 8192, 48, 896, 14336, 344})
    void rotates(int width) {
        Rotation rotation = new Rotation(width, 3);
        float[] x = random.activations(ROWS * width);
        float[] expected = new float[x.length];
        rotation.apply(x, 0, expected, 0, ROWS);
        double[] wide = new double[x.length];
        Arrays.setAll(wide, i -> expected[i]);
        assertThat(Oracle.relativeError(transformed(x, rotation, false), wide)).isLessThan(1e-6);
        assertThat(transformed(x, rotation, true)).as("in place").isEqualTo(transformed(x, rotation, false));
    }

    @ParameterizedTest
    @CsvSource({"3, 0", "2, 1", "1, 2", "4, 3", "5, 2", "1, 6"})
    void roundsToTheSameFloats(int exponentBits, int mantissaBits) {
        FpFormat format = new FpFormat(exponentBits, mantissaBits);
        float[] x = random.activations(ROWS * 300);
        x[5] = 0;
        x[6] = -0f;
        x[7] = Float.NaN;
        x[8] = Float.POSITIVE_INFINITY;
        x[9] = 1e-42f;
        float[] scales = new float[300];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = format.largest() / (1 + i % 7);
        }
        FloatActivations rounding = new FloatActivations(format, scales);
        float[] expected = new float[x.length];
        rounding.apply(x, 0, expected, 0, ROWS);
        assertThat(transformed(x, rounding, false)).isEqualTo(expected);
        assertThat(transformed(x, rounding, true)).as("in place").isEqualTo(expected);
    }

    @Test
    void layersThatShareAnInputTransformItOnce() {
        Rotation rotation = new Rotation(64, 3);
        Buffer x = device.allocate(64);
        Buffer out = device.allocate(64);
        assertThat(launches(() -> {
                    device.transform(x, rotation, 1, out);
                    device.transform(x, new Rotation(64, 3), 1, out);
                }))
                .isEqualTo(1);
        assertThat(launches(() -> {
                    device.transform(x, rotation, 1, out);
                    device.add(x, x, 64);
                    device.transform(x, rotation, 1, out);
                    device.transform(x, new Rotation(64, 4), 1, out);
                }))
                .as("of another input, and of another rotation")
                .isEqualTo(4);
        assertThat(launches(() -> {
                    device.transform(x, rotation, 1, x);
                    device.transform(x, rotation, 1, x);
                }))
                .as("in place")
                .isEqualTo(2);
    }

    private static int launches(Runnable work) {
        int before = gpu.launches();
        work.run();
        read(device.allocate(1), 1);
        return gpu.launches() - before;
    }

    private static float[] transformed(float[] x, InputTransform transform, boolean inPlace) {
        Buffer from = device.allocate(x.length);
        device.write(x, from, 0);
        Buffer to = inPlace ? from : device.allocate(x.length);
        device.transform(from, transform, ROWS, to);
        return read(to, x.length);
    }

    private static float[] read(Buffer buffer, int count) {
        float[] out = new float[count];
        device.read(buffer, 0, out, count);
        return out;
    }
}
