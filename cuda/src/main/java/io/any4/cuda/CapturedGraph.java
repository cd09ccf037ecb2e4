package io.any4.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Launches captured as one CUDA graph: one call to the driver repeats them all.
final class CapturedGraph implements Gpu.Replay {
    private static final int RELAXED = 2; // other threads may use the driver while this one captures

    private final long stream;
    private final long executable;

    CapturedGraph(long stream, KernelModule kernels, List<Launch> launches) {
        this.stream = stream;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            Status.check("cuStreamBeginCapture", (int) Libcuda.CAPTURE_BEGIN.invokeExact(stream, RELAXED));
            for (Launch launch : launches) {
                kernels.launch(launch);
            }
            Status.check("cuStreamEndCapture", (int) Libcuda.CAPTURE_END.invokeExact(stream, out));
            long graph = out.get(JAVA_LONG, 0);
            int status = (int) Libcuda.GRAPH_INSTANTIATE.invokeExact(out, graph, 0L);
            Status.check("cuGraphInstantiate", status);
            executable = out.get(JAVA_LONG, 0);
            Status.check("cuGraphDestroy", (int) Libcuda.GRAPH_DESTROY.invokeExact(graph));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    @Override
    public void launch() {
        try {
            Status.check("cuGraphLaunch", (int) Libcuda.GRAPH_LAUNCH.invokeExact(executable, stream));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    @Override
    public void close() {
        try {
            Status.check("cuGraphExecDestroy", (int) Libcuda.GRAPH_EXEC_DESTROY.invokeExact(executable));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }
}
