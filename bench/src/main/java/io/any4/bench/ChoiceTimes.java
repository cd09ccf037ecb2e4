package io.any4.bench;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Sampling;
import java.util.Arrays;
import java.util.SplittableRandom;

/// What it takes to choose a token of a [Llama1b]'s vocabulary in several ways, interleaved: `ChoiceTimes
/// [rounds]`.
///
/// Logits are normally distributed, with a standard deviation of 0.5, so that almost all tokens are about
/// equally likely, or of 3, so that a few hundred are likely.
final class ChoiceTimes {
    private static final int WARM_UP = 200;

    private ChoiceTimes() {}

    private record Case(String name, Sampling sampling) {}

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 200;
        Case[] cases = {
            new Case("likeliest", Sampling.GREEDY),
            new Case("any", Sampling.of(0.8, 1)),
            new Case("top-k 40, top-p 0.95", new Sampling(0.8, 40, 0.95, 1)),
            new Case("top-k 1000", new Sampling(0.8, 1000, 1, 1)),
            new Case("top-p 0.95", new Sampling(0.8, 0, 0.95, 1))
        };
        try (CpuDevice device = CpuDevice.open(new CpuOptions(1, true))) {
            for (double deviation : new double[] {0.5, 3}) {
                Buffer logits = logits(device, deviation);
                report(device, logits, deviation, cases, rounds);
            }
        }
    }

    private static Buffer logits(CpuDevice device, double deviation) {
        SplittableRandom random = new SplittableRandom(5);
        float[] numbers = new float[Llama1b.VOCABULARY];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) (deviation * random.nextGaussian());
        }
        Buffer logits = device.allocate(numbers.length);
        device.write(numbers, logits, 0);
        return logits;
    }

    private static void report(CpuDevice device, Buffer logits, double deviation, Case[] cases, int rounds) {
        Buffer chosen = device.allocate(1);
        long[][] times = new long[cases.length][rounds];
        for (int round = -WARM_UP; round < rounds; round++) {
            for (int i = 0; i < cases.length; i++) {
                long start = System.nanoTime();
                device.choose(logits, 0, Llama1b.VOCABULARY, cases[i].sampling(), round + WARM_UP, chosen);
                if (round >= 0) {
                    times[i][round] = System.nanoTime() - start;
                }
            }
        }
        for (int i = 0; i < cases.length; i++) {
            Arrays.sort(times[i]);
            System.out.printf(
                    "deviation %.1f, %-20s median %8.1f us, best %8.1f us%n",
                    deviation, cases[i].name(), times[i][rounds / 2] / 1e3, times[i][0] / 1e3);
        }
    }
}
