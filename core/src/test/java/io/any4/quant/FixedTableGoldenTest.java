package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.BitPacking;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// NF4, FP4 and MX4 against bitsandbytes and the microscaling reference.
@Tag("shared")
final class FixedTableGoldenTest {
    private static final Pattern KEY = Pattern.compile("(nf4|fp4)\\.(\\w+)\\.g(\\d+)\\.packed");
    private static final float[] E2M1 = {0, .5f, 1, 1.5f, 2, 3, 4, 6, -0f, -.5f, -1, -1.5f, -2, -3, -4, -6};

    private final GoldenFile inputs = GoldenFile.open("inputs");
    private final Team team = new Team(1);

    @Test
    void nf4AndFp4AreBitsandbytes() {
        GoldenFile golden = GoldenFile.open("fp4nf4");
        int compared = 0;
        for (String name : golden.names()) {
            Matcher key = KEY.matcher(name);
            if (key.matches()) {
                compareBlocks(golden, name.substring(0, name.length() - ".packed".length()), key);
                compared++;
            }
        }
        assertThat(compared).isEqualTo(24);
    }

    /// Blocks of the reference run over the flattened matrix, so each becomes a row here.
    private void compareBlocks(GoldenFile golden, String name, Matcher key) {
        int block = Integer.parseInt(key.group(3));
        LutWeight weight =
                quantize(key.group(1) + ",group-size=row,metadata=f32", inputs.matrix(key.group(2) + ".weight", block));
        assertThat(weight.scale().toFloats()).as(name).isEqualTo(golden.floats(name + ".absmax"));
        float[] table = golden.floats(key.group(1) + ".table");
        float[] packed = golden.floats(name + ".packed");
        float[] levels = new float[2 * packed.length];
        for (int i = 0; i < packed.length; i++) {
            levels[2 * i] = table[(int) packed[i] >> 4] + 0f; // -0 and 0 are one value
            levels[2 * i + 1] = table[(int) packed[i] & 15] + 0f;
        }
        assertThat(levels(weight)).as(name).isEqualTo(levels);
        if (golden.has(name + ".recon")) {
            assertThat(positiveZeros(IntGoldenTest.values(weight)))
                    .as(name)
                    .isEqualTo(positiveZeros(golden.floats(name + ".recon")));
        }
    }

    @Test
    void mx4IsTheMicroscalingReference() {
        GoldenFile golden = GoldenFile.open("mx4");
        compareMx4(golden, "mx4.gauss.g32", inputs.matrix("gauss.weight", 256));
        compareMx4(golden, "mx4.uniform.g32", inputs.matrix("uniform.weight", 256));
        compareMx4(golden, "mx4.ties", golden.matrix("mx4.ties.x", 32));
    }

    private void compareMx4(GoldenFile golden, String name, Tensor weights) {
        LutWeight weight = quantize("mx4", weights);
        float[] exponents = golden.floats(name + ".exp");
        for (int i = 0; i < exponents.length; i++) {
            assertThat(weight.scale().getFloat(i)).as(name).isEqualTo(Math.scalb(1f, (int) exponents[i] - 127));
        }
        float[] levels = golden.floats(name + ".q");
        for (int i = 0; i < levels.length; i++) {
            levels[i] = E2M1[(int) levels[i]] + 0f;
        }
        assertThat(levels(weight)).as(name).isEqualTo(levels);
    }

    private LutWeight quantize(String spec, Tensor weights) {
        return (LutWeight) QuantizationSpec.parse(spec).quantizer().quantize(weights, null, team, RowListener.NONE);
    }

    private static float[] levels(LutWeight weight) {
        float[] all = new float[weight.rows() * weight.columns()];
        byte[] row = new byte[weight.columns()];
        for (int i = 0; i < weight.rows(); i++) {
            BitPacking.unpackRow(weight.codes(), i, weight.bits(), row);
            for (int j = 0; j < row.length; j++) {
                all[i * row.length + j] = weight.lut().getFloat(row[j]) + 0f;
            }
        }
        return all;
    }

    private static float[] positiveZeros(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] += 0f;
        }
        return values;
    }
}
