package io.any4.tinygemm;

import static org.assertj.core.api.Assumptions.assumeThat;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.Isa;
import io.any4.machine.RowShape;
import io.any4.tinygemm.RandomWeights.Side;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The programs in machine code against what [RowShape] says, bit by bit, and against products of floats.
class IntegerMatrixTest {
    private static final long SEED = 20251130;
    private static final Team TEAM = new Team(2);

    @AfterAll
    static void endTeam() {
        TEAM.close();
    }

    static Stream<Arguments> formats() {
        return Stream.of(Isa.values())
                .flatMap(isa -> Stream.of(2, 3, 4)
                        .flatMap(bits -> ProductCheck.SIDES.stream()
                                .flatMap(side -> Stream.of(32, 64, 128, 256, 512, 100_000)
                                        .filter(group -> RowShape.fits(bits == 3 ? 4 : bits, 3000, group))
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
                check(isa, random.lut(bits, rows, columns, group, side), tokens, random);
            }
        }
    }

    /// An element of a weight is rounded to 12 bits of the table's reach, one of a token to 14 bits of the
    /// largest.
    private static void check(Isa isa, LutWeight weight, int tokens, RandomWeights random) {
        int bits = LutCodes.bits(weight);
        IntegerMatrix matrix = new IntegerMatrix(weight, LutCodes.unpackable(weight, TEAM), bits, isa, TEAM);
        IntegerOracle oracle = new IntegerOracle(matrix.shape(), isa);
        ProductCheck.check(
                matrix,
                (row, token) -> oracle.product(matrix.packed().address(row), token),
                (weight.bits() == 2 ? 1 / 2046.0 : 1 / 4094.0) + 1 / 16382.0,
                tokens,
                random,
                TEAM);
    }
}
