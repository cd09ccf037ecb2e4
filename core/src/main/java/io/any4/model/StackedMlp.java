package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.MatrixStack;
import io.any4.tinygemm.Routes;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The experts of a mixture as one network, in which each token takes its own matrices: all of its work can be given to
/// the device before it is known which experts are chosen.
record StackedMlp(Layer gate, Layer up, Layer down) {
    /// Linear layers that differ in their weight only.
    ///
    /// @param transforms what is done to the input of each
    private record Layer(MatrixStack matrices, List<InputTransform> transforms) {
        void apply(Pass pass, Routes routes, boolean shared, Buffer x, Buffer y) {
            int rows = shared ? routes.tokens() : routes.slots();
            Buffer input = Linear.transformed(pass, transforms, x, rows, matrices.columns());
            pass.device().matmul(matrices, routes, shared, input, y);
        }
    }

    /// The stack of these networks, or null if they have biases, or transform their inputs in different ways.
    static @Nullable StackedMlp of(Device device, List<Mlp> experts) {
        Layer gate = layer(device, experts, Mlp::gate);
        Layer up = layer(device, experts, Mlp::up);
        Layer down = layer(device, experts, Mlp::down);
        return gate == null || up == null || down == null ? null : new StackedMlp(gate, up, down);
    }

    private static @Nullable Layer layer(Device device, List<Mlp> experts, Function<Mlp, Linear> which) {
        List<Linear> layers = experts.stream().map(which).toList();
        List<InputTransform> transforms = layers.getFirst().transforms();
        for (Linear layer : layers) {
            if (layer.bias() != null || !layer.transforms().equals(transforms)) {
                return null;
            }
        }
        List<Matrix> matrices = layers.stream().map(Linear::matrix).toList();
        return new Layer(device.stack(matrices), transforms);
    }

    /// Adds the experts' weighted output for x to the residual.
    void addTo(Buffer residual, Buffer x, Pass pass, Routes routes) {
        Device device = pass.device();
        Scratch scratch = pass.scratch();
        gate.apply(pass, routes, true, x, scratch.gate);
        up.apply(pass, routes, true, x, scratch.up);
        device.swiglu(scratch.gate, scratch.up, (long) routes.slots() * gate.matrices.rows(), scratch.gate);
        down.apply(pass, routes, false, scratch.gate, scratch.projected);
        device.combine(scratch.projected, routes, down.matrices.rows(), residual);
    }
}
