package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RotationTest {
    @ParameterizedTest
    @ValueSource(ints = {4, 8, 12, 20, 24, 28, 36, 44, 60, 76, 108, 140, 252})
    void paleyMatricesAreHadamardMatrices(int order) {
        byte[][] matrix = Paley.matrix(order);
        for (int i = 0; i < order; i++) {
            for (int j = 0; j < order; j++) {
                int product = 0;
                for (int k = 0; k < order; k++) {
                    assertThat(Math.abs(matrix[i][k])).isEqualTo(1);
                    product += matrix[i][k] * matrix[j][k];
                }
                assertThat(product).isEqualTo(i == j ? order : 0);
            }
        }
    }

    @Test
    void refusesOrdersThatPaleyDoesNotGive() {
        assertThat(Paley.exists(92)).isFalse();
        assertThat(Paley.exists(10)).isFalse();
        assertThatThrownBy(() -> Paley.matrix(92)).hasMessageContaining("92");
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "2, 2",
        "64, 64",
        "12, 12",
        "24, 24",
        "40, 40",
        "896, 896",
        "1536, 1536",
        "4864, 4864",
        "8960, 8960",
        "14336, 14336",
        "11008, 256",
        "10, 2",
        "7, 1",
        "368, 16"
    })
    void mixesAsManyElementsAsTheSizeAllows(int size, int block) {
        assertThat(Hadamard.of(size).block()).isEqualTo(block);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 10, 16, 24, 28, 40, 56, 172})
    void isOrthogonalWithEntriesOfOneMagnitude(int width) {
        double[][] columns = new double[width][];
        Rotation.Rotator rotator = new Rotation(width, 5).rotator();
        double magnitude = 1 / Math.sqrt(Hadamard.of(width).block());
        for (int i = 0; i < width; i++) {
            columns[i] = new double[width];
            columns[i][i] = 1;
            rotator.rotate(columns[i]);
            for (double entry : columns[i]) {
                assertThat(Math.abs(entry))
                        .satisfiesAnyOf(
                                a -> assertThat(a).isZero(), a -> assertThat(a).isCloseTo(magnitude, within(1e-12)));
            }
        }
        for (int i = 0; i < width; i++) {
            for (int j = 0; j <= i; j++) {
                assertThat(dot(columns[i], columns[j])).isCloseTo(i == j ? 1 : 0, within(1e-12));
            }
        }
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @Test
    void signsFollowFromTheSeedAlone() {
        double[] first = rotated(64, 1);
        assertThat(rotated(64, 1)).isEqualTo(first);
        assertThat(rotated(64, 2)).isNotEqualTo(first);
        // The first outputs of SplitMix64 from state 0 are e220a839..., 6e789e6a..., 06c45d18..., f88bb8a8...
        double[] signs = {1, 0, 0, 0};
        new Rotation(4, 0).rotator().rotate(signs);
        assertThat(signs).containsExactly(-0.5, -0.5, -0.5, -0.5);
        double[] second = {0, 1, 0, 0};
        new Rotation(4, 0).rotator().rotate(second);
        assertThat(second).containsExactly(0.5, -0.5, 0.5, -0.5);
    }

    private static double[] rotated(int width, long seed) {
        double[] vector = new Random(9).doubles(width).toArray();
        new Rotation(width, seed).rotator().rotate(vector);
        return vector;
    }

    @Test
    void theDeviceRotatesEveryRowByItselfAndInPlace() {
        Rotation rotation = new Rotation(24, 3);
        float[] x = new float[5 * 24];
        Random random = new Random(1);
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        float[] expected = new float[x.length];
        for (int row = 0; row < 5; row++) {
            rotation.apply(x, row * 24, expected, row * 24, 1);
        }
        try (Team team = new Team(2);
                Device device = CpuDevice.scalar(team)) {
            Buffer buffer = device.allocate(x.length);
            device.write(x, buffer, 0);
            device.transform(buffer, rotation, 5, buffer);
            float[] actual = new float[x.length];
            device.read(buffer, 0, actual, x.length);
            assertThat(actual).isEqualTo(expected).isNotEqualTo(x);
        }
    }

    @Test
    void spreadsAnOutlierOverAllElements() {
        double[] vector = new double[896];
        vector[17] = 100;
        new Rotation(896, 0).rotator().rotate(vector);
        for (double element : vector) {
            assertThat(Math.abs(element)).isCloseTo(100 / Math.sqrt(896), within(1e-9));
        }
    }
}
