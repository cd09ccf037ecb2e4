package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.SharedData;
import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.SafetensorsFile;
import io.any4.model.Decoder;
import io.any4.quant.ChannelStatistics;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The paper's calibration, mean and mean magnitude per channel, on the golden data's model and prompt.
@Tag("shared")
class GoldenCalibrationTest {
    @Test
    void meansMatchTheReference() {
        Path folder = SharedData.path("golden/tiny_llama");
        try (Team team = new Team(2);
                Device device = CpuDevice.scalar(team);
                Checkpoint checkpoint = Checkpoint.open(folder);
                SafetensorsFile reference = SafetensorsFile.open(folder.resolve("reference.safetensors"))) {
            Tensor prompt = reference.tensor("prompt_ids");
            int[] ids = new int[Math.toIntExact(prompt.elements())];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = (int) prompt.getFloat(i);
            }
            CalibrationData data = new CalibrationData(List.of(ids), "golden", 0, "");
            StatisticsSource statistics =
                    Calibration.onePass(Decoder.load(checkpoint, device), data, CalibrationListener.NONE);
            int layers = 0;
            for (String name : reference.names()) {
                if (name.startsWith("calib.abs.")) {
                    String module = name.substring("calib.abs.".length());
                    ChannelStatistics actual = Objects.requireNonNull(statistics.statistics(module), module);
                    assertClose(actual.meanAbsolute(), reference.tensor(name), module);
                    assertClose(actual.mean(), reference.tensor("calib.signed." + module), module);
                    layers++;
                }
            }
            assertThat(layers).isEqualTo(15);
        }
    }

    private static void assertClose(double[] actual, Tensor expected, String module) {
        assertThat(actual).hasSize(Math.toIntExact(expected.elements()));
        for (int c = 0; c < actual.length; c++) {
            double reference = expected.data().get(Tensor.DOUBLE, 8L * c);
            assertThat(actual[c]).as("%s channel %d", module, c).isCloseTo(reference, within(1e-5));
        }
    }
}
