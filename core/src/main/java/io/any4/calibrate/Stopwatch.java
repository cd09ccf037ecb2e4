package io.any4.calibrate;

import java.time.Duration;

/// Measures how long something takes, on the clock and on the processor.
public final class Stopwatch {
    private final long start = System.nanoTime();
    private final Duration cpuAtStart = cpu();

    private Stopwatch() {}

    /// A watch that runs from now on.
    public static Stopwatch start() {
        return new Stopwatch();
    }

    /// What has passed since the start; the watch goes on.
    public QuantizationTime read() {
        return new QuantizationTime(
                (System.nanoTime() - start) / 1e9, cpu().minus(cpuAtStart).toNanos() / 1e9);
    }

    /// Of all threads of this process together, those of the virtual machine included.
    private static Duration cpu() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    }
}
