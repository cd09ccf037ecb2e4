package io.any4.quant;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Sums of earlier columns, for many rows side by side: the inner loop of everything that multiplies rows of a
/// weight by a triangle of a Hessian.
///
/// Rows of the weight are kept transposed, [#ROWS] numbers per column, so that the sums run along contiguous
/// memory and the triangle, which is far larger than any cache, is read once for all of them. A row's sums do not
/// depend on the rows beside it.
final class ColumnSums {
    /// Rows side by side.
    static final int ROWS = 64;

    /// Columns whose sums are formed together.
    static final int COLUMNS = 8;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    private ColumnSums() {}

    /// `sums[c][row] = sum over k < count of triangle[first + c][k] * columns[k][row]`, for as many `c` as `sums`
    /// has, 8 at most.
    static void of(float[][] triangle, int first, float[] columns, int count, float[][] sums, int sumCount) {
        if (sumCount == COLUMNS) {
            for (int row = 0; row < ROWS; row += LANES) {
                ofLanes(triangle, first, columns, count, sums, row);
            }
            return;
        }
        for (int c = 0; c < sumCount; c++) {
            Arrays.fill(sums[c], 0f);
            for (int k = 0; k < count; k++) {
                add(triangle[first + c][k], columns, k, sums[c]);
            }
        }
    }

    /// Lays `count` vectors from `first` on side by side: `columns[k][row] = rows[first + row][k]`, and 0 beyond them.
    static void pack(float[][] rows, int first, int count, float[] columns) {
        Arrays.fill(columns, 0f);
        for (int row = 0; row < count; row++) {
            float[] vector = rows[first + row];
            for (int k = 0; k < vector.length; k++) {
                columns[k * ROWS + row] = vector[k];
            }
        }
    }

    /// `sums[row] += factor * columns[k][row]`.
    static void add(float factor, float[] columns, int k, float[] sums) {
        int at = k * ROWS;
        for (int row = 0; row < ROWS; row++) {
            sums[row] = Math.fma(factor, columns[at + row], sums[row]);
        }
    }

    /// As many rows as a vector has lanes: the eight sums stay in registers.
    private static void ofLanes(float[][] triangle, int first, float[] columns, int count, float[][] sums, int row) {
        float[] t0 = triangle[first];
        float[] t1 = triangle[first + 1];
        float[] t2 = triangle[first + 2];
        float[] t3 = triangle[first + 3];
        float[] t4 = triangle[first + 4];
        float[] t5 = triangle[first + 5];
        float[] t6 = triangle[first + 6];
        float[] t7 = triangle[first + 7];
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector s4 = s0;
        FloatVector s5 = s0;
        FloatVector s6 = s0;
        FloatVector s7 = s0;
        for (int k = 0; k < count; k++) {
            FloatVector v = FloatVector.fromArray(FLOATS, columns, k * ROWS + row);
            s0 = v.fma(FloatVector.broadcast(FLOATS, t0[k]), s0);
            s1 = v.fma(FloatVector.broadcast(FLOATS, t1[k]), s1);
            s2 = v.fma(FloatVector.broadcast(FLOATS, t2[k]), s2);
            s3 = v.fma(FloatVector.broadcast(FLOATS, t3[k]), s3);
            s4 = v.fma(FloatVector.broadcast(FLOATS, t4[k]), s4);
            s5 = v.fma(FloatVector.broadcast(FLOATS, t5[k]), s5);
            s6 = v.fma(FloatVector.broadcast(FLOATS, t6[k]), s6);
            s7 = v.fma(FloatVector.broadcast(FLOATS, t7[k]), s7);
        }
        s0.intoArray(sums[0], row);
        s1.intoArray(sums[1], row);
        s2.intoArray(sums[2], row);
        s3.intoArray(sums[3], row);
        s4.intoArray(sums[4], row);
        s5.intoArray(sums[5], row);
        s6.intoArray(sums[6], row);
        s7.intoArray(sums[7], row);
    }
}
