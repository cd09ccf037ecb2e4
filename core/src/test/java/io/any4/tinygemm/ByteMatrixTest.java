package io.any4.tinygemm;

import static org.assertj.core.api.Assumptions.assumeThat;

import io.any4.machine.ByteShape;
import io.any4.machine.IntegerPrograms;
import io.any4.machine.Isa;
import io.any4.tinygemm.RandomWeights.Side;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The programs in machine code against what [ByteShape] says, bit by bit, and against products of floats.
class ByteMatrixTest {
    private static final long SEED = 20251130;
    private static final Team TEAM = new Team(2);

    @AfterAll
    static void endTeam() {
        TEAM.close();
    }

    static Stream<Arguments> formats() {
        return Stream.of(Isa.values())
                .filter(Isa::addsBytes)
                .flatMap(isa -> Stream.of(2, 3, 4, 8)
                        .flatMap(bits -> ProductCheck.SIDES.stream()
                                .flatMap(side -> Stream.of(16, 32, 64, 96, 128, 256, 512, 100_000)
                                        .filter(group -> ByteShape.fits(bits == 3 ? 4 : bits, 3000, group))
                                        .map(group -> Arguments.of(isa, bits, group, side)))));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void products(Isa isa, int bits, int group, Side side) {
        assumeThat(IntegerPrograms.isas(Simd.BITS)).contains(isa);
        RandomWeights random = new RandomWeights(SEED);
        for (int columns : new int[] {1, 33, 129, 552, 1024}) {
            for (int tokens : new int[] {1, 2, 3, 5, 16, 31}) {
                int rows = 1 + (columns + 7 * tokens) % 45;
                check(weight(random, bits, rows, columns, group, side), isa, tokens, random);
            }
        }
    }

    private static Weight weight(RandomWeights random, int bits, int rows, int columns, int group, Side side) {
        return bits == 8 ? random.int8(rows, columns, group, side) : random.lut(bits, rows, columns, group, side);
    }

    private static ByteRows rows(Weight weight) {
        return switch (weight) {
            case LutWeight lut -> ByteRows.of(lut, LutCodes.unpackable(lut, TEAM), LutCodes.bits(lut), TEAM);
            case IntWeight integers -> ByteRows.of(integers, TEAM);
            case DenseWeight dense -> throw new IllegalArgumentException();
        };
    }

    /// An element of a weight is rounded to 8 bits of the table's reach, one of a token to 8 bits of the
    /// largest.
    private static void check(Weight weight, Isa isa, int tokens, RandomWeights random) {
        ByteRows rows = rows(weight);
        ByteOracle oracle = new ByteOracle(rows.shape());
        ProductCheck.check(
                new ByteMatrix(weight, rows, isa),
                (row, token) -> oracle.product(rows.address(row), row % ByteShape.ROWS, token),
                1 / 255.0 + 1 / 254.0,
                tokens,
                random,
                TEAM);
    }
}
