package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.BitPacking;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Integers against the reference: the same codes, scales and zeros, bit for bit.
@Tag("shared")
final class IntGoldenTest {
    private static final Pattern KEY = Pattern.compile("intq\\.(\\w+)\\.b(\\d)\\.(asym|sym)\\.g(\\d+|row)\\.q");

    private final GoldenFile inputs = GoldenFile.open("inputs");
    private final GoldenFile golden = GoldenFile.open("intq");
    private final Team team = new Team(1);

    @Test
    void codesScalesAndZerosAreTheReferences() {
        int compared = 0;
        for (String name : golden.names()) {
            Matcher key = KEY.matcher(name);
            if (key.matches()) {
                compare(name.substring(0, name.length() - 2), key);
                compared++;
            }
        }
        assertThat(compared).isGreaterThanOrEqualTo(80);
    }

    private void compare(String name, Matcher key) {
        String matrix = key.group(1) + ".weight";
        int columns = inputs.dim(matrix, 1);
        String group = key.group(4);
        String spec = "int%s,group-size=%s,symmetric=%s,metadata=f32"
                .formatted(key.group(2), group, key.group(3).equals("sym"));
        Weight weight = quantize(spec, inputs.matrix(matrix, columns));
        int groups = group.equals("row") ? 1 : columns / Integer.parseInt(group);
        assertThat(codes(weight)).as(name).isEqualTo(golden.floats(name + ".q"));
        compareScales(name, weight, groups);
        if (golden.has(name + ".recon")) {
            assertThat(values(weight)).as(name).isEqualTo(golden.floats(name + ".recon"));
        }
    }

    /// The reference keeps `[group][row][scale, zero]`.
    private void compareScales(String name, Weight weight, int groups) {
        float[] reference = golden.floats(name + ".sz");
        Tensor scale = weight instanceof LutWeight lut ? lut.scale() : ((IntWeight) weight).scale();
        Tensor zero = weight instanceof LutWeight lut ? lut.zero() : ((IntWeight) weight).zero();
        for (int row = 0; row < weight.rows(); row++) {
            for (int group = 0; group < groups; group++) {
                int at = 2 * (group * weight.rows() + row);
                int index = row * groups + group;
                assertThat(scale.getFloat(index)).as(name).isEqualTo(reference[at]);
                if (zero != null) {
                    assertThat(zero.getFloat(index)).as(name).isEqualTo(reference[at + 1]);
                }
            }
        }
    }

    @Test
    void anIntegerZeroPointIsTheReferences() {
        for (String matrix : new String[] {"gauss", "uniform"}) {
            String name = "intq_newgrouping." + matrix + ".b4.g64";
            Weight weight = quantize(
                    "int4,group-size=64,zero-point=integer,metadata=f32", inputs.matrix(matrix + ".weight", 256));
            assertThat(codes(weight)).isEqualTo(golden.floats(name + ".q"));
            float[] sz = golden.floats(name + ".sz");
            LutWeight lut = (LutWeight) weight;
            for (int row = 0; row < weight.rows(); row++) {
                for (int group = 0; group < 4; group++) {
                    int at = 2 * (group * weight.rows() + row);
                    assertThat(lut.scale().getFloat(row * 4 + group)).isEqualTo(sz[at]);
                    assertThat(Objects.requireNonNull(lut.zero()).getFloat(row * 4 + group))
                            .isEqualTo(-sz[at + 1] * sz[at]);
                }
            }
        }
    }

    /// The reference rounds scale and zero after it has chosen the codes, and rounds what it multiplies: choosing codes
    /// afterwards is better, up to the luck of that last rounding.
    @Test
    void narrowMetadataCostsNoMoreThanInTheReference() {
        for (String type : new String[] {"f16", "bf16"}) {
            for (String variant : new String[] {"asym", "sym"}) {
                float[] original = narrowed(inputs.floats("gauss.weight"), type);
                String name = "intq_%s.gauss.b4.%s.g64.recon".formatted(type, variant);
                Weight weight = quantize(
                        "int4,group-size=64,metadata=%s,symmetric=%s".formatted(type, variant.equals("sym")),
                        Tensor.ofFloats(original, 64, 256));
                assertThat(squaredError(original, values(weight)))
                        .as(name)
                        .isLessThanOrEqualTo(1.001 * squaredError(original, golden.floats(name)));
            }
        }
    }

    private static float[] narrowed(float[] values, String type) {
        var dtype = QuantizationSpec.parse("int4,metadata=" + type).metadata();
        return Tensor.ofFloats(dtype, values, values.length).toFloats();
    }

    private static double squaredError(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (double) (a[i] - b[i]);
        }
        return sum;
    }

    private Weight quantize(String spec, Tensor weights) {
        return QuantizationSpec.parse(spec).quantizer().quantize(weights, null, team, RowListener.NONE);
    }

    /// Codes as the reference counts them: signed if symmetric.
    private static float[] codes(Weight weight) {
        float[] all = new float[weight.rows() * weight.columns()];
        byte[] row = new byte[weight.columns()];
        for (int i = 0; i < weight.rows(); i++) {
            for (int j = 0; j < row.length; j++) {
                int at = i * row.length + j;
                switch (weight) {
                    case IntWeight ints -> all[at] = ints.codes().getFloat(at);
                    case LutWeight lut -> {
                        if (j == 0) {
                            BitPacking.unpackRow(lut.codes(), i, lut.bits(), row);
                        }
                        all[at] = lut.lut().getFloat(row[j]);
                    }
                    default -> throw new AssertionError(weight);
                }
            }
        }
        return all;
    }

    static float[] values(Weight weight) {
        float[] all = new float[weight.rows() * weight.columns()];
        for (int i = 0; i < weight.rows(); i++) {
            weight.dequantizeRow(i, all, i * weight.columns());
        }
        return all;
    }
}
