package io.any4.cuda.ptx;

/// `mma.m16n8k32` of bytes: c[16 x 8] += a[16 x 32] b[32 x 8], unsigned by signed, exact in 32 bits. Fragments lie as
/// the
/// PTX manual says (section 9.7.14); sums that overflow are refused.
final class ByteTensorCore {
    private static final int LANES = 32;
    private static final int K = 32;

    private final int[][] a = new int[16][K];
    private final int[][] b = new int[8][K];

    /// @param registers of a warp
    /// @param to four registers of the result
    /// @param from four registers of a, two of b, four of c
    void multiply(long[][] registers, int[] to, int[] from) {
        for (int lane = 0; lane < LANES; lane++) {
            int group = lane / 4;
            int first = lane % 4 * 4;
            for (int i = 0; i < 4; i++) {
                long bits = registers[from[i]][lane];
                for (int j = 0; j < 4; j++) {
                    a[group + i % 2 * 8][first + i / 2 * 16 + j] = (int) (bits >>> 8 * j) & 0xff;
                }
            }
            for (int i = 0; i < 2; i++) {
                long bits = registers[from[4 + i]][lane];
                for (int j = 0; j < 4; j++) {
                    b[group][first + i * 16 + j] = (byte) (bits >>> 8 * j);
                }
            }
        }
        for (int lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < 4; i++) {
                int[] row = a[lane / 4 + i / 2 * 8];
                int[] column = b[lane % 4 * 2 + i % 2];
                long sum = (int) registers[from[6 + i]][lane];
                for (int k = 0; k < K; k++) {
                    sum += (long) row[k] * column[k];
                }
                if (sum != (int) sum) {
                    throw new PtxException("a sum of products does not fit 32 bits");
                }
                registers[to[i]][lane] = sum & 0xffffffffL;
            }
        }
    }
}
