package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.cuda.RandomWeights.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How products are cut up for a chip with the numbers of an H100.
class ProductPlanTest {
    private static final Chip HOPPER = new Chip(132, 228 << 10);

    @ParameterizedTest
    @CsvSource({
        // rows, columns, tokens: blocks, whether they share tiles
        "  4096,  4096,    1,  256, false",
        "  8192,  8192,    1,  264, false",
        "  6144,  4096,    1,  264, false",
        "  1024,  8192,    1,  128, true",
        "  5120,  5120,    1,  264, true",
        "  8192,  8192,    8,  264, false",
        "  8192,  8192,   16,  264, false",
        "  4096,  4096,  512,   16, false",
        "    16,    64,    1,    1, false",
    })
    void fillsTheChip(int rows, int columns, int tokens, int blocks, boolean shares) {
        ProductPlan plan = plan(rows, columns, tokens);
        ProductPlan.Deal deal = deal(plan);
        assertThat(deal.blocks()).as("blocks").isEqualTo(blocks);
        assertThat(deal.shares()).as("shares tiles").isEqualTo(shares);
    }

    /// The busiest block has no more items than an even split of all of them gives it.
    @Test
    void dealsEvenly() {
        for (int rows : new int[] {512, 1024, 2048, 2560, 3072, 4096, 5120, 6144, 11008, 14336, 28672}) {
            for (int columns : new int[] {1024, 2560, 4096, 8192, 14336}) {
                ProductPlan plan = plan(rows, columns, 1);
                ProductPlan.Deal deal = deal(plan);
                int pieces = deal.shares() ? plan.tiles() * plan.parts() : plan.tiles();
                int busiest = Math.ceilDiv(pieces, deal.blocks()) * (deal.shares() ? 1 : plan.parts());
                int even = Math.ceilDiv(plan.tiles() * plan.parts(), Math.min(264, plan.tiles() * plan.parts()));
                assertThat(busiest).as("%d x %d", rows, columns).isLessThanOrEqualTo(even);
            }
        }
    }

    @Test
    void thePartsOfKDependOnTheShapeAlone() {
        for (int columns : new int[] {64, 4096, 4160, 8192, 14336}) {
            for (int tokens : new int[] {1, 16, 64, 700}) {
                assertThat(plan(48, columns, tokens).parts()).isEqualTo(Math.ceilDiv(columns, 4096));
            }
        }
    }

    /// One block on each multiprocessor, or nearly, and its shared memory is what a block can have.
    @ParameterizedTest
    @CsvSource({
        // rows, columns, tokens: blocks per piece, pieces
        "  4096,  4096,   16,   66,   2",
        "  8192,  8192,   16,   33,   4",
        "  8192,  8192,    5,   33,   4",
        "  8192,  8192,   32,   33,   4",
        "  4096, 14336,   16,   16,   8",
        "  1024,  1024,   16,   32,   1",
    })
    void wideBatchesFillTheChip(int rows, int columns, int tokens, int blocks, int pieces) {
        ProductPlan plan = plan(rows, columns, tokens);
        assertThat(ProductPlan.isWide(Format.LUT4, plan.blockTokens())).isTrue();
        assertThat(plan.pieces()).as("pieces").isEqualTo(pieces);
        assertThat(plan.wide(HOPPER, Format.LUT4, 64).blocks()).as("blocks").isEqualTo(blocks);
    }

    @Test
    void chipsThatLackTheMemoryGetTheKernelsThatNeedLess() {
        assertThat(KernelSet.of(Activation.BF16, 80)).isEqualTo(KernelSet.BF16_SM80);
        assertThat(KernelSet.of(Activation.BF16, 89)).isEqualTo(KernelSet.BF16_SM80);
        assertThat(KernelSet.of(Activation.F16, 90)).isEqualTo(KernelSet.F16_SM90);
        assertThat(KernelSet.of(Activation.BF16, 100)).isEqualTo(KernelSet.BF16_SM90);
        assertThat(KernelSet.of(Activation.F16, 120)).isEqualTo(KernelSet.F16_SM80);
    }

    private static ProductPlan plan(int rows, int columns, int tokens) {
        CudaMatrix w = new CudaMatrix(
                new RandomWeights(1).weight(Kind.ANY4, 1, 64, 64), Format.LUT4, columns, 64, 0, 16, 0, 0, 0, 0);
        return ProductPlan.of(w, Math.ceilDiv(rows, Format.TILE_ROWS), tokens);
    }

    private static ProductPlan.Deal deal(ProductPlan plan) {
        return plan.deal(HOPPER, ProductPlan.stageBytes(Format.LUT4, 64) + plan.sumBytes());
    }
}
