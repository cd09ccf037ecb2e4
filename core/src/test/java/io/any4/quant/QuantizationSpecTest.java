package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QuantizationSpecTest {
    @Test
    void aMethodAloneHasTheUsualSettings() {
        QuantizationSpec spec = QuantizationSpec.parse("any4");
        assertThat(spec)
                .isEqualTo(new QuantizationSpec(
                        Method.ANY4,
                        128,
                        false,
                        ZeroPoint.FLOAT,
                        Clustering.FAST,
                        Weighting.SECOND_MOMENT,
                        TableScope.ROW,
                        DType.F16,
                        0));
        assertThat(QuantizationSpec.parse("mx4").groupSize()).isEqualTo(32);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "int4,group-size=128",
                "int8,group-size=row,symmetric=true",
                "int3,group-size=32,zero-point=integer,metadata=f32",
                "any4,group-size=64,kmeans=exact,weighting=mean,table=matrix,metadata=bf16,seed=7",
                "nf4,group-size=256",
                "fp4-e2m1,group-size=16",
                "mx4,group-size=32"
            })
    void textAndSpecificationAreTheSame(String text) {
        assertThat(QuantizationSpec.parse(text).describe()).isEqualTo(text);
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void everyMethodIsDescribedAsItIsParsed(Method method) {
        QuantizationSpec spec = QuantizationSpec.of(method);
        assertThat(QuantizationSpec.parse(spec.describe())).isEqualTo(spec);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    any5                           | unknown quantization method 'any5'; supported are int2, int3, int4, int8, nf4, fp4, fp4-e2m1, mx4, any2, any3, any4
                    int4,group-size=0              | the group size must be positive, not 0; 128 is usual, 'row' makes each row one group
                    int4,group-size=-3             | the group size must be positive, not -3
                    int4,group-size=many           | the group size must be a whole number, not 'many'
                    any4,kmeans=best               | unknown k-means variant 'best'; supported are exact, fast, lloyd
                    any4,weighting=x               | supported are none, mean, mean-unscaled, mean-abs, second-moment
                    any4,metadata=i8               | unknown metadata type 'i8'; supported are f16, bf16, f32
                    any4,colour=red                | unknown setting 'colour'; supported are method, group-size, symmetric
                    any4,exact                     | 'exact' in 'any4,exact' is not a setting; write key=value
                    any4,seed=                     | the seed must be a whole number, not ''
                    any4,zero-point=integer        | an integer zero point needs an asymmetric int method, not any4
                    int4,symmetric=true,zero-point=integer | an integer zero point needs an asymmetric int method, not int4 symmetric
                    nf4,symmetric=true             | nf4 is always symmetric
                    """)
    void whatCannotBeDoneIsASentence(String text, String sentence) {
        assertThatThrownBy(() -> QuantizationSpec.parse(text))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void usualSettingsFollowTheMethodAndChosenOnesStay() {
        assertThat(QuantizationSpec.parse("any4,seed=3").with("method", "any4s"))
                .isEqualTo(QuantizationSpec.parse("any4s,seed=3"));
        assertThat(QuantizationSpec.parse("any4,group-size=64,metadata=f32").with("method", "any4s"))
                .isEqualTo(QuantizationSpec.parse("any4s,group-size=64,metadata=f32"));
    }

    @Test
    void bitsPerWeightCountAllSideData() {
        assertThat(QuantizationSpec.parse("any4").bitsPerWeight(4096, 4096)).isEqualTo(4.3125);
        assertThat(QuantizationSpec.parse("any3").bitsPerWeight(4096, 4096)).isEqualTo(3.28125);
        assertThat(QuantizationSpec.parse("any2").bitsPerWeight(4096, 4096)).isEqualTo(2.265625);
        assertThat(QuantizationSpec.parse("int8,symmetric=true").bitsPerWeight(10, 1280))
                .isEqualTo(8.125);
        assertThat(QuantizationSpec.parse("mx4").bytes(1, 64)).isEqualTo(32 + 2 + 32);
    }
}
