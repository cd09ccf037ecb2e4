package io.any4.cuda.ptx;

import io.any4.tensor.Floats;

/// `mma.m16n8k16`: c[16 x 8] += a[16 x 16] b[16 x 8], with the fragments laid out as the PTX manual says
/// (section 9.7.14).
final class TensorCore {
    private static final int LANES = 32;

    private final boolean half;
    private final float[][] a = new float[16][16];
    private final float[][] b = new float[16][8];

    /// @param half whether operands are f16 rather than bf16
    TensorCore(boolean half) {
        this.half = half;
    }

    /// @param registers of a warp
    /// @param to four registers of the result
    /// @param from four registers of a, two of b, four of c
    void multiply(long[][] registers, int[] to, int[] from) {
        for (int lane = 0; lane < LANES; lane++) {
            int group = lane / 4;
            int pair = lane % 4 * 2;
            for (int i = 0; i < 4; i++) {
                load(registers[from[i]][lane], a[group + i % 2 * 8], pair + i / 2 * 8);
            }
            for (int i = 0; i < 2; i++) {
                long bits = registers[from[4 + i]][lane];
                b[pair + i * 8][group] = number(bits);
                b[pair + i * 8 + 1][group] = number(bits >>> 16);
            }
        }
        for (int lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < 4; i++) {
                int row = lane / 4 + i / 2 * 8;
                int column = lane % 4 * 2 + i % 2;
                double sum = FloatFunctions.value(registers[from[6 + i]][lane]);
                for (int k = 0; k < 16; k++) {
                    sum += (double) a[row][k] * b[k][column];
                }
                registers[to[i]][lane] = FloatFunctions.bits((float) sum);
            }
        }
    }

    private void load(long bits, float[] row, int column) {
        row[column] = number(bits);
        row[column + 1] = number(bits >>> 16);
    }

    private float number(long bits) {
        return half ? Float.float16ToFloat((short) bits) : Floats.fromBf16((short) bits);
    }
}
