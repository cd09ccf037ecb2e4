package io.any4.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorTest {
    @ParameterizedTest
    @EnumSource(DType.class)
    void everyTypeHoldsSmallPowersOfTwo(DType dtype) {
        float[] values = {1, 2, 4, 8, 16, 32};
        Tensor tensor = Tensor.ofFloats(dtype, values, 2, 3);
        assertThat(tensor.toFloats()).isEqualTo(values);
        assertThat(tensor.rows(1, 2).toFloats()).containsExactly(8, 16, 32);
        assertThat(tensor.getFloat(4)).isEqualTo(16);
        float[] row = new float[5];
        tensor.copyRow(1, row, 1);
        assertThat(row).containsExactly(0, 8, 16, 32, 0);
    }

    @Test
    void integersAreSignedAsTheirNamesSay() {
        assertThat(Tensor.ofFloats(DType.I8, new float[] {-128, 127}, 2).toFloats())
                .containsExactly(-128, 127);
        assertThat(Tensor.ofFloats(DType.U8, new float[] {128, 255}, 2).toFloats())
                .containsExactly(128, 255);
        assertThat(Tensor.ofFloats(DType.I32, new float[] {-70000}, 1).toFloats())
                .containsExactly(-70000);
        assertThat(Tensor.ofFloats(DType.I64, new float[] {-1L << 40}, 1).toFloats())
                .containsExactly(-1L << 40);
    }

    /// Tensors of a mapped file may start anywhere.
    @ParameterizedTest
    @EnumSource(DType.class)
    void elementsMayBeUnaligned(DType dtype) {
        MemorySegment memory = Arena.ofAuto().allocate(3 * dtype.bytes() + 1L, 8);
        Tensor tensor = new Tensor(dtype, Shape.of(3), memory.asSlice(1));
        tensor.setFloat(2, 4);
        assertThat(tensor.getFloat(2)).isEqualTo(4);
        float[] out = new float[1];
        tensor.copyTo(2, out, 0, 1);
        assertThat(out).containsExactly(4);
    }

    @Test
    void rowsOfHigherRanksAreFlattened() {
        Tensor tensor = Tensor.ofFloats(new float[] {0, 1, 2, 3, 4, 5, 6, 7}, 2, 2, 2);
        assertThat(tensor.columns()).isEqualTo(4);
        assertThat(tensor.rows(1, 2).shape()).isEqualTo(Shape.of(1, 2, 2));
        assertThat(tensor.rows(1, 2).toFloats()).containsExactly(4, 5, 6, 7);
        assertThat(tensor.rows(1, 1).elements()).isZero();
    }

    @Test
    void shapeAndMemoryMustAgree() {
        assertThatThrownBy(() -> new Tensor(DType.F32, Shape.of(2), MemorySegment.ofArray(new byte[7])))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a F32 tensor of shape [2] has 8 bytes, not 7");
        assertThatThrownBy(() -> Shape.of(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Shape.of(1L << 40, 1L << 40).elements()).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void typesAreFoundByTheirSafetensorsNames() {
        for (DType dtype : DType.values()) {
            assertThat(DType.named(dtype.safetensorsName())).contains(dtype);
        }
        assertThat(DType.named("F8_E4M3")).isEmpty();
    }
}
