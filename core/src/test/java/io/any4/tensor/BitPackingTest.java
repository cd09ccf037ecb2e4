package io.any4.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BitPackingTest {
    @Property(tries = 300)
    void rowsSurviveARoundTrip(
            @ForAll @IntRange(min = 2, max = 4) int bits,
            @ForAll @IntRange(min = 1, max = 4) int rows,
            @ForAll @IntRange(min = 1, max = 70) int columns,
            @ForAll long seed) {
        Random random = new Random(seed);
        Tensor packed = packed(rows, columns, bits);
        byte[][] codes = new byte[rows][columns];
        for (int row = 0; row < rows; row++) {
            for (int j = 0; j < columns; j++) {
                codes[row][j] = (byte) random.nextInt(1 << bits);
            }
            BitPacking.packRow(codes[row], bits, packed, row);
        }
        for (int row = 0; row < rows; row++) {
            byte[] read = new byte[columns];
            BitPacking.unpackRow(packed, row, bits, read);
            assertThat(read).isEqualTo(codes[row]);
        }
    }

    /// The definition, bit by bit: code `j` occupies bits `j * bits` up of the row's bytes.
    @Property(tries = 300)
    void everyBitIsWhereTheFormatPutsIt(
            @ForAll @IntRange(min = 2, max = 4) int bits,
            @ForAll @IntRange(min = 1, max = 70) int columns,
            @ForAll long seed) {
        Random random = new Random(seed);
        byte[] codes = new byte[columns];
        for (int j = 0; j < columns; j++) {
            codes[j] = (byte) random.nextInt(1 << bits);
        }
        Tensor packed = packed(1, columns, bits);
        BitPacking.packRow(codes, bits, packed, 0);
        for (int bit = 0; bit < packed.columns() * 8; bit++) {
            int stored = packed.data().get(ValueLayout.JAVA_BYTE, bit / 8) >>> bit % 8 & 1;
            int expected = bit < columns * bits ? codes[bit / bits] >>> bit % bits & 1 : 0;
            assertThat(stored).as("bit %d", bit).isEqualTo(expected);
        }
    }

    @Test
    void theLowNibbleIsTheEvenColumn() {
        Tensor packed = packed(1, 3, 4);
        BitPacking.packRow(new byte[] {1, 2, 15}, 4, packed, 0);
        assertThat(packed.data().toArray(ValueLayout.JAVA_BYTE)).containsExactly(0x21, 0x0f);
    }

    @Test
    void rowBytesDoNotOverflow() {
        assertThat(BitPacking.rowBytes(Integer.MAX_VALUE, 4)).isEqualTo(1 << 30);
        assertThat(BitPacking.rowBytes(3, 3)).isEqualTo(2);
    }

    private static Tensor packed(int rows, int columns, int bits) {
        return Tensor.allocate(Arena.ofAuto(), DType.U8, rows, BitPacking.rowBytes(columns, bits));
    }
}
