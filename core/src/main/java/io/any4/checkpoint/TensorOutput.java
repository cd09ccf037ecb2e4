package io.any4.checkpoint;

import io.any4.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/// A safetensors file being written: header first, then tensors at their places in any order.
final class TensorOutput implements AutoCloseable {
    /// A byte buffer cannot exceed 2 GiB, and the channel copies what is not direct memory.
    private static final long CHUNK = 16 << 20;

    private final FileChannel channel;
    private final SafetensorsLayout layout;

    private TensorOutput(FileChannel channel, SafetensorsLayout layout) {
        this.channel = channel;
        this.layout = layout;
    }

    /// Opens the file and writes the header.
    static TensorOutput open(Path file, SafetensorsLayout layout, OpenOption... options) throws IOException {
        FileChannel channel = FileChannel.open(file, options);
        try {
            TensorOutput output = new TensorOutput(channel, layout);
            output.write(MemorySegment.ofArray(layout.header()), 0);
            return output;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    void write(String name, Tensor tensor) throws IOException {
        TensorSpec spec = layout.spec(name);
        if (!spec.equals(TensorSpec.of(name, tensor))) {
            throw new IllegalArgumentException("tensor %s is %s %s, but was announced as %s %s"
                    .formatted(name, tensor.dtype(), tensor.shape(), spec.dtype(), spec.shape()));
        }
        write(tensor.data(), layout.position(name));
    }

    private void write(MemorySegment data, long position) throws IOException {
        for (long done = 0; done < data.byteSize(); done += CHUNK) {
            MemorySegment chunk = data.asSlice(done, Math.min(CHUNK, data.byteSize() - done));
            if (chunk.isNative()) {
                writeFully(chunk.asByteBuffer(), position + done);
            } else {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment copy = arena.allocate(chunk.byteSize()).copyFrom(chunk);
                    writeFully(copy.asByteBuffer(), position + done);
                }
            }
        }
    }

    private void writeFully(ByteBuffer buffer, long position) throws IOException {
        long at = position;
        while (buffer.hasRemaining()) {
            at += channel.write(buffer, at);
        }
    }

    /// A view of a tensor that has been written.
    Tensor view(String name, Arena arena) throws IOException {
        TensorSpec spec = layout.spec(name);
        MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, layout.position(name), spec.bytes(), arena);
        return new Tensor(spec.dtype(), spec.shape(), data);
    }

    /// Waits until what was written has reached the disk.
    void force() throws IOException {
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
