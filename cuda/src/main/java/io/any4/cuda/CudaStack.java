package io.any4.cuda;

import io.any4.tinygemm.MatrixStack;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Matrices of which each row of a product takes its own, as tables in GPU memory that a kernel reads by index.
///
/// @param parts one table for each layout that a kernel has to be made for; usually one
record CudaStack(int count, int rows, int columns, List<Part> parts) implements MatrixStack {
    /// Bytes of an entry: struct Expert of gemm_experts.cuh.
    private static final int ENTRY_BYTES = 40;

    /// The matrices of one layout.
    ///
    /// @param like one of them
    /// @param table device address of `[count]` entries; those of matrices in another layout are empty
    record Part(CudaMatrix like, long table) {}

    static CudaStack upload(Gpu gpu, List<CudaMatrix> matrices) {
        Map<List<Object>, List<Integer>> layouts = new LinkedHashMap<>();
        for (int i = 0; i < matrices.size(); i++) {
            CudaMatrix m = matrices.get(i);
            layouts.computeIfAbsent(List.of(m.format(), m.paddedColumns(), m.group()), key -> new ArrayList<>())
                    .add(i);
        }
        List<Part> parts = new ArrayList<>();
        for (List<Integer> members : layouts.values()) {
            parts.add(new Part(matrices.get(members.getFirst()), table(gpu, matrices, members)));
        }
        CudaMatrix first = matrices.getFirst();
        return new CudaStack(matrices.size(), first.rows(), first.columns(), List.copyOf(parts));
    }

    private static long table(Gpu gpu, List<CudaMatrix> matrices, List<Integer> members) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate((long) matrices.size() * ENTRY_BYTES, 8);
            for (int index : members) {
                CudaMatrix m = matrices.get(index);
                MemorySegment entry = table.asSlice((long) index * ENTRY_BYTES, ENTRY_BYTES);
                entry.set(ValueLayout.JAVA_LONG, 0, m.codes());
                entry.set(ValueLayout.JAVA_LONG, 8, m.tables());
                entry.set(ValueLayout.JAVA_LONG, 16, m.scales());
                entry.set(ValueLayout.JAVA_LONG, 24, m.factors());
                entry.set(ValueLayout.JAVA_INT, 32, m.tableStride());
                entry.set(ValueLayout.JAVA_FLOAT, 36, m.offset());
            }
            long address = gpu.allocate(table.byteSize());
            gpu.upload(table, address);
            return address;
        }
    }
}
