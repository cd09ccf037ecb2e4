package io.any4.bench;

import io.any4.tinygemm.Team;
import java.util.Arrays;

/// What a shared loop costs beside its work, and what it takes if the work is uneven: `TeamTimes 1,2
/// [rounds]`.
///
/// All loops are interleaved. The uneven loop, half of whose indices take twice as long, is run as it is and
/// with one grain for each member, which leaves nothing to take over: the ratio is what taking over is worth.
final class TeamTimes {
    /// Indices of a loop that is cut into as many blocks as there can be.
    private static final int FINE = 4096;

    private static final int LOOPS = 1000;
    private static final int WARM_UP = 20;

    private final Team team;
    private final float[] sums = new float[FINE];
    private final Case[] cases;

    /// A loop that is measured.
    private record Case(String name, int count, int grain, Team.Range body) {}

    private TeamTimes(int threads) {
        team = new Team(threads);
        Team.Range empty = (from, to) -> {};
        Team.Range uneven = (from, to) -> {
            for (int i = from; i < to; i++) {
                sums[i] += work(i < FINE / 2 ? 40 : 20);
            }
        };
        cases = new Case[] {
            new Case("empty, one block each", threads, 1, empty),
            new Case("empty, many blocks", FINE, 1, empty),
            new Case("1024 additions, one block each", 1024, Math.ceilDiv(1024, threads), this::add),
            new Case("uneven, one block each", FINE, Math.ceilDiv(FINE, threads), uneven),
            new Case("uneven, many blocks", FINE, 1, uneven)
        };
    }

    private void add(int from, int to) {
        for (int i = from; i < to; i++) {
            sums[i] += 1;
        }
    }

    /// Takes a time in proportion to `steps`.
    private static float work(int steps) {
        float x = 1;
        for (int i = 0; i < steps; i++) {
            x = Math.fma(x, 0.5f, 0.25f);
        }
        return x;
    }

    private double nanoseconds(Case loop) {
        long start = System.nanoTime();
        for (int i = 0; i < LOOPS; i++) {
            team.run(loop.count(), loop.grain(), loop.body());
        }
        return (double) (System.nanoTime() - start) / LOOPS;
    }

    private void report(int rounds) {
        double[][] times = new double[cases.length][rounds];
        for (int round = -WARM_UP; round < rounds; round++) {
            for (int i = 0; i < cases.length; i++) {
                double time = nanoseconds(cases[i]);
                if (round >= 0) {
                    times[i][round] = time;
                }
            }
        }
        for (int i = 0; i < cases.length; i++) {
            Arrays.sort(times[i]);
            System.out.printf(
                    "%2d threads, %-30s median %9.0f ns, best %9.0f ns%n",
                    team.threads(), cases[i].name(), times[i][rounds / 2], times[i][0]);
        }
    }

    public static void main(String[] args) {
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 50;
        for (String threads : args[0].split(",", -1)) {
            TeamTimes times = new TeamTimes(Integer.parseInt(threads));
            times.report(rounds);
            times.team.close();
        }
    }
}
