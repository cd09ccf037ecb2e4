package io.any4.checkpoint;

import io.any4.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/// One safetensors file, mapped into memory as a whole; its tensors are views and are read only when touched.
///
/// Offsets are 64 bit: file and tensors may exceed 2 GiB. Views must not be used after [#close].
public final class SafetensorsFile implements AutoCloseable {
    private final Path path;
    private final Arena arena;
    private final MemorySegment mapped;
    private final SafetensorsHeader header;

    private SafetensorsFile(Path path, Arena arena, MemorySegment mapped, SafetensorsHeader header) {
        this.path = path;
        this.arena = arena;
        this.mapped = mapped;
        this.header = header;
    }

    /// Maps a file and checks its header.
    ///
    /// @throws InvalidInputException if the file cannot be read or its header is corrupt
    public static SafetensorsFile open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new SafetensorsFile(path, arena, mapped, SafetensorsHeader.read(path, mapped));
        } catch (IOException e) {
            arena.close();
            throw InvalidInputException.reading(path, e);
        } catch (InvalidInputException e) {
            arena.close();
            throw e;
        }
    }

    public Path path() {
        return path;
    }

    /// Names of the tensors, in the order of the header.
    public SequencedSet<String> names() {
        return header.tensors().sequencedKeySet();
    }

    /// The texts under `__metadata__`, sorted by key; empty if there are none.
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /// A read-only view of a tensor.
    ///
    /// @throws InvalidInputException if there is no such tensor or its type is not supported
    public Tensor tensor(String name) {
        Tensor tensor = find(name);
        if (tensor == null) {
            throw new InvalidInputException("%s has no tensor %s".formatted(path, name));
        }
        return tensor;
    }

    /// A read-only view of a tensor, or null if there is none of that name.
    ///
    /// @throws InvalidInputException if its type is not supported
    public @Nullable Tensor find(String name) {
        TensorEntry entry = header.tensors().get(name);
        return entry == null ? null : entry.tensor(path, mapped, header.dataStart());
    }

    @Override
    public void close() {
        arena.close();
    }
}
