package io.any4.cuda;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Weight;
import java.util.Arrays;

/// What [DriverTest] runs in a Java process of its own, over the stub library: handles are bound once
/// per process.
final class StubSession {
    private static final int STEPS = 3;

    private StubSession() {}

    public static void main(String[] args) {
        CudaProvider provider = new CudaProvider();
        System.out.println("probe: " + provider.probe());
        try (Device device = provider.open(Integer.parseInt(args[0]))) {
            System.out.println("device: " + device.describe());
            copies(device);
            steps(device);
            product(device);
            device.allocate(1L << 24);
        } catch (InvalidInputException | IllegalStateException e) {
            System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    /// More than the pinned buffer holds travels in pieces.
    private static void copies(Device device) {
        float[] values = new float[5_000_001];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        Buffer buffer = device.allocate(values.length + 1L);
        device.write(values, buffer, 1);
        float[] back = new float[values.length];
        device.read(buffer, 1, back, back.length);
        System.out.println("copies: " + Arrays.equals(values, back));
    }

    private static void product(Device device) {
        Weight weight = new RandomWeights(1).weight(RandomWeights.Kind.ANY4, 32, 128, 128);
        Buffer x = device.allocate(128);
        Buffer y = device.allocate(32);
        device.matmul(device.prepare(weight), x, 1, y);
        device.read(y, 0, new float[1], 1);
    }

    /// Equal steps, long enough to become a graph.
    private static void steps(Device device) {
        Buffer x = device.allocate(1000);
        for (int step = 0; step < STEPS; step++) {
            for (int i = 0; i < 10; i++) {
                device.add(x, x, 1000);
            }
            device.read(x, 0, new float[1], 1);
        }
    }
}
