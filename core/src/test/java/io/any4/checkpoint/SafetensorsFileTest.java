package io.any4.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | 8 | not valid JSON (Duplicate
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}                                                       | 8 | not valid JSON
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x                                                    | 8 | not valid JSON
            [1]                                                                                                         | 0 | must be a JSON object
            {"a":7}                                                                                                     | 0 | tensor a has no dtype
            {"a":{"dtype":"F32","data_offsets":[0,8]}}                                                                  | 8 | tensor a has no shape
            {"a":{"dtype":"F32","shape":[2]}}                                                                           | 8 | tensor a has no data_offsets
            {"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}                                                    | 8 | tensor a has 2.5 in its shape
            {"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}                                                     | 8 | tensor a has -2 in its shape
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}                                   | 8 | in its data_offsets
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}                                                        | 8 | expected a begin and an end
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}                                                      | 8 | expected a begin and an end
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}                                                      | 8 | needs 12 bytes but has 8
            {"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}                                  | 8 | is absurd
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}                                                      | 7 | is truncated: tensor a ends at data byte 8 but the file has only 7
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}   | 6 | the tensors a and b overlap
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}   | 4 | the tensors a and b overlap
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]}}   | 8 | a hole of 2 bytes before tensor b
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}                                                       | 9 | 5 bytes after the last tensor belong to none
            {"__metadata__":"pt"}                                                                                       | 0 | __metadata__ is not an object
            {"__metadata__":{"format":1}}                                                                               | 0 | __metadata__.format is not a text
            """)
    void saysWhatIsCorruptInTheHeader(String header, int dataBytes, String complaint) throws IOException {
        Path file = RawSafetensors.write(directory.resolve("x.safetensors"), header, dataBytes);
        assertRejected(file, complaint);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            3                    | truncated: its header has 3 bytes but the file only 10
            100000001            | announce a header of 100000001 bytes
            -1                   | announce a header of 18446744073709551615 bytes
            """)
    void rejectsAHeaderLengthBeyondTheFileOrReason(long length, String complaint) throws IOException {
        assertRejected(RawSafetensors.write(directory.resolve("x.safetensors"), length, "{}", 0), complaint);
    }

    @Test
    void rejectsAFileThatIsTooShortForALength() throws IOException {
        assertRejected(Files.write(directory.resolve("x.safetensors"), new byte[7]), "it has only 7 bytes");
        assertRejected(Files.write(directory.resolve("empty.safetensors"), new byte[0]), "it has only 0 bytes");
    }

    @Test
    void rejectsHeaderBytesThatAreNotUtf8() throws IOException {
        Path file = directory.resolve("x.safetensors");
        Files.write(file, new byte[] {4, 0, 0, 0, 0, 0, 0, 0, '{', '"', (byte) 0xff, '"'});
        assertRejected(file, "not valid JSON");
    }

    @Test
    void rejectsAMissingFileAndADirectory() {
        assertRejected(directory.resolve("none.safetensors"), "does not exist");
        assertRejected(directory, "cannot be read");
    }

    @Test
    void anUnknownTypeIsAnErrorOnlyWhenTheTensorIsUsed() throws IOException {
        String header = "{\"odd\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]},"
                + "\"fine\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[4,6]}}";
        Path path = RawSafetensors.write(directory.resolve("x.safetensors"), header, 6);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.names()).containsExactly("odd", "fine");
            assertThat(file.tensor("fine").toFloats()).containsExactly(0, 0);
            assertThatThrownBy(() -> file.tensor("odd"))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("tensor odd in")
                    .hasMessageContaining("type F8_E4M3")
                    .hasMessageContaining("F32, F16, BF16");
            assertThat(file.find("none")).isNull();
            assertThatThrownBy(() -> file.tensor("none")).hasMessageContaining("has no tensor none");
        }
    }

    @Test
    void readsScalarsEmptyTensorsAndPaddedHeaders() throws IOException {
        String header = "{\"empty\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[0,0]},"
                + "\"scalar\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}     ";
        Path path = RawSafetensors.write(directory.resolve("x.safetensors"), header, 8);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.tensor("empty").elements()).isZero();
            assertThat(file.tensor("scalar").toFloats()).containsExactly(0);
            assertThat(file.metadata()).isEmpty();
        }
    }

    @Test
    void readsTensorsBeyondTwoGibibytes() throws IOException {
        long elements = 3L << 30;
        String header = "{\"big\":{\"dtype\":\"U8\",\"shape\":[%d,1024],\"data_offsets\":[0,%d]},"
                        .formatted(elements / 1024, elements)
                + "\"after\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}}"
                        .formatted(elements, elements + 1);
        Path path = RawSafetensors.write(directory.resolve("x.safetensors"), header, 0);
        long dataStart = Files.size(path);
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.setLength(dataStart + elements + 1);
            sparse.seek(dataStart + elements - 1);
            sparse.write(new byte[] {7, 9});
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Tensor big = file.tensor("big");
            assertThat(big.getFloat(elements - 1)).isEqualTo(7);
            float[] row = new float[1024];
            big.copyRow(big.rows() - 1, row, 0);
            assertThat(row[1023]).isEqualTo(7);
            assertThat(file.tensor("after").getFloat(0)).isEqualTo(9);
        }
    }

    @Test
    void viewsAreReadOnly() throws IOException {
        String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
        Path path = RawSafetensors.write(directory.resolve("x.safetensors"), header, 1);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Tensor tensor = file.tensor("a");
            assertThat(tensor.dtype()).isEqualTo(DType.U8);
            assertThatThrownBy(() -> tensor.data().set(ValueLayout.JAVA_BYTE, 0, (byte) 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static void assertRejected(Path file, String complaint) {
        assertThatThrownBy(() -> SafetensorsFile.open(file).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(complaint)
                .hasMessageNotContaining("\n");
    }
}
