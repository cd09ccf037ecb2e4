package io.any4.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Packs kernel parameters: each at the next multiple of its size, as C lays out a struct.
final class Arguments {
    private final ByteBuffer bytes = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);

    Arguments address(long value) {
        return longInteger(value);
    }

    Arguments longInteger(long value) {
        align(8);
        bytes.putLong(value);
        return this;
    }

    Arguments integer(int value) {
        align(4);
        bytes.putInt(value);
        return this;
    }

    Arguments number(float value) {
        align(4);
        bytes.putFloat(value);
        return this;
    }

    /// Pads to a multiple of `size`: where a struct with members of that size begins or ends.
    Arguments align(int size) {
        while (bytes.position() % size != 0) {
            bytes.put((byte) 0);
        }
        return this;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
