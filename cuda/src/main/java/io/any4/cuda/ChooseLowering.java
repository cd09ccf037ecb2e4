package io.any4.cuda;

import io.any4.tinygemm.Sampling;
import java.util.ArrayList;
import java.util.List;

/// Launches that choose a token: see choose.cuh.
///
/// Greedy choice takes two, a draw from the whole distribution three. Top-k and top-p are searches for a logit, as is
/// the draw from what they leave: each takes two launches, which follow one over all logits.
final class ChooseLowering {
    /// Numbers of the host that a choice reads: struct Settings of choose.cuh.
    static final int NUMBERS = 6;

    private static final int SLICE = 1024; // logits of a block
    private static final int HISTOGRAM_BYTES = 2048 * (8 + 4);
    private static final int FOUND_BYTES = 40;
    private static final int MOST_STEPS = 9;
    private static final int MOST_HISTOGRAMS = 7;
    private static final int NONE = -1;
    private static final double LOG2_E = 1 / Math.log(2);

    /// What is searched for: COUNT, FRACTION and DRAW of choose.cuh.
    private enum Goal {
        TOP_K,
        TOP_P,
        TOKEN
    }

    private final Gpu gpu;
    private long work;
    private int workBlocks;

    ChooseLowering(Gpu gpu) {
        this.gpu = gpu;
    }

    /// The numbers of the host.
    static int[] numbers(Op.Choose op) {
        Sampling sampling = op.sampling();
        float factor = (float) Math.min(LOG2_E / sampling.temperature(), Float.MAX_VALUE);
        long fraction = (long) (sampling.topP() * 0x1p63) << 1; // in units of 2^-64
        return new int[] {
            Float.floatToRawIntBits(factor),
            sampling.topK(),
            (int) fraction,
            (int) (fraction >>> 32),
            (int) sampling.seed(),
            (int) (sampling.seed() >>> 32)
        };
    }

    /// Whether one operation's launches serve another's numbers too.
    static boolean alike(Op.Choose a, Op.Choose b) {
        return a.logits() == b.logits()
                && a.row() == b.row()
                && a.count() == b.count()
                && greedy(a) == greedy(b)
                && goals(a).equals(goals(b));
    }

    private static boolean greedy(Op.Choose op) {
        return op.sampling().temperature() == 0;
    }

    private static List<Goal> goals(Op.Choose op) {
        List<Goal> goals = new ArrayList<>();
        if (op.sampling().topK() > 0 && op.sampling().topK() < op.count()) {
            goals.add(Goal.TOP_K);
        }
        if (op.sampling().topP() < 1) {
            goals.add(Goal.TOP_P);
        }
        if (op.sampling().topK() > 0 || op.sampling().topP() < 1) {
            goals.add(Goal.TOKEN); // in descending order, also where all are kept
        }
        return goals;
    }

    List<Launch> lower(Op.Choose op, Inputs.Place place) {
        int blocks = Math.ceilDiv(op.count(), SLICE);
        reserve(blocks);
        Steps steps = new Steps(op, place, blocks);
        return greedy(op) ? steps.largest() : steps.draw(goals(op));
    }

    private void reserve(int blocks) {
        if (blocks > workBlocks) {
            work = gpu.allocate(16L * blocks + MOST_STEPS * FOUND_BYTES + (long) MOST_HISTOGRAMS * HISTOGRAM_BYTES);
            workBlocks = blocks;
        }
    }

    /// The launches of one choice, which hand on what they find.
    private final class Steps {
        private final Op.Choose op;
        private final Inputs.Place place;
        private final int blocks;
        private final List<Launch> launches = new ArrayList<>();
        private int step;

        Steps(Op.Choose op, Inputs.Place place, int blocks) {
            this.op = op;
            this.place = place;
            this.blocks = blocks;
        }

        List<Launch> largest() {
            launch("choose_begin", blocks, NONE, NONE, 0, Goal.TOKEN, Goal.TOKEN);
            launch("choose_largest", 1, NONE, NONE, NONE, Goal.TOKEN, Goal.TOKEN);
            return launches;
        }

        List<Launch> draw(List<Goal> goals) {
            launch(
                    "choose_begin",
                    blocks,
                    NONE,
                    NONE,
                    goals.isEmpty() ? 0 : 1 + 2 * goals.size(),
                    Goal.TOKEN,
                    Goal.TOKEN);
            int found = NONE;
            if (!goals.isEmpty()) {
                search("choose_histogram", NONE, NONE, 0, Goal.TOKEN, Goal.TOKEN);
            }
            for (int i = 0; i < goals.size(); i++) {
                int next = 1 + 2 * i;
                Goal goal = goals.get(i);
                search("choose_histogram", 0, found, next, goal, i == 0 ? goal : goals.get(i - 1));
                search("choose_histogram", next, NONE, next + 1, goal, goal);
                found = next + 1;
            }
            search("choose_sums", found, NONE, NONE, Goal.TOKEN, Goal.TOKEN);
            launch("choose_token", 1, found, NONE, NONE, Goal.TOKEN, Goal.TOKEN);
            return launches;
        }

        private void search(String kernel, int from, int ended, int into, Goal goal, Goal endedGoal) {
            launch(kernel, blocks, from, ended, into, goal, endedGoal);
            step++;
        }

        /// Struct Choose of choose.cuh.
        private void launch(String kernel, int grid, int from, int ended, int into, Goal goal, Goal endedGoal) {
            long sums = work + 8L * workBlocks;
            long found = sums + 8L * workBlocks;
            byte[] arguments = new Arguments()
                    .address(op.logits().address(op.row(), op.count()))
                    .address(op.out().address(op.row(), 1))
                    .address(place.numbers())
                    .address(place.counter())
                    .address(work)
                    .address(sums)
                    .address(found)
                    .address(found + MOST_STEPS * FOUND_BYTES)
                    .integer(op.count())
                    .integer(blocks)
                    .integer(step)
                    .integer(from)
                    .integer(ended)
                    .integer(into)
                    .integer(goal.ordinal())
                    .integer(endedGoal.ordinal())
                    .toBytes();
            launches.add(new Launch(kernel, grid, 1, 1, arguments));
        }
    }
}
