package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/// Tables as the kernels look them up.
class TablePackerTest {
    @Test
    void numbersAreOffByAtMostAHalfStepOfTheirRange() {
        LutWeight weight = (LutWeight) new RandomWeights(31).weight(Kind.ANY4, 40, 64, 32);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment packed = TablePacker.pack(arena, weight);
            assertThat(packed.byteSize()).isEqualTo(3L * TablePacker.TILE_BYTES);
            for (int row = 0; row < 40; row++) {
                float least = Float.MAX_VALUE;
                float most = -Float.MAX_VALUE;
                for (int i = 0; i < 16; i++) {
                    least = Math.min(least, weight.lut().getFloat(row * 16L + i));
                    most = Math.max(most, weight.lut().getFloat(row * 16L + i));
                }
                for (int i = 0; i < 16; i++) {
                    assertThat(number(packed, row, i))
                            .isCloseTo(weight.lut().getFloat(row * 16L + i), within((most - least) / 0x1p15 * 1.001));
                }
            }
        }
    }

    @Test
    void tablesOfFewDigitsAreExact() {
        LutWeight weight = (LutWeight) new RandomWeights(32).weight(Kind.MX4, 16, 64, 32);
        assertThat(weight.lut().rows()).isEqualTo(1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment packed = TablePacker.pack(arena, weight);
            assertThat(packed.byteSize()).isEqualTo(TablePacker.TILE_BYTES);
            for (int row = 0; row < 16; row++) {
                for (int i = 0; i < 16; i++) {
                    assertThat(number(packed, row, i)).isEqualTo(weight.lut().getFloat(i));
                }
            }
        }
    }

    /// Entry i of a row, and that its bytes have no top bit.
    private static double number(MemorySegment packed, int row, int i) {
        long tile = row / 16 * (long) TablePacker.TILE_BYTES;
        int upper = packed.get(ValueLayout.JAVA_BYTE, tile + row % 16 * 32 + i);
        int lower = packed.get(ValueLayout.JAVA_BYTE, tile + row % 16 * 32 + 16 + i);
        assertThat(upper).isNotNegative();
        assertThat(lower).isNotNegative();
        double step = packed.get(Tensor.FLOAT, tile + 512 + row % 16 * 8L);
        return (128 * upper + lower) * step + packed.get(Tensor.FLOAT, tile + 512 + row % 16 * 8L + 4);
    }
}
