package io.any4.tinygemm;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Input transforms of a [CpuDevice], as a loop that is kept.
final class TransformLoop {
    private final Team team;
    private final Team.Range transforming = this::transform;
    private @Nullable InputTransform transform;
    private float[] x = {};
    private float[] out = {};

    TransformLoop(Team team) {
        this.team = team;
    }

    /// [Device#transform].
    void run(float[] x, InputTransform transform, int rows, float[] out) {
        this.x = x;
        this.transform = transform;
        this.out = out;
        team.run(rows, 1, transforming);
    }

    private void transform(int from, int to) {
        InputTransform each = Objects.requireNonNull(transform);
        int at = from * each.width();
        each.apply(x, at, out, at, to - from);
    }
}
