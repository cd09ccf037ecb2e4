package io.any4.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Codes of a few bits as a bit stream per row, least significant bit first.
///
/// Code `j` of a row occupies bits `j * bits` to `j * bits + bits - 1` of the row's bytes; each row starts on a byte.
public final class BitPacking {
    private BitPacking() {}

    /// Bytes of one packed row.
    public static int rowBytes(int columns, int bits) {
        return Math.toIntExact(Math.ceilDiv((long) columns * bits, 8));
    }

    /// Packs one row of codes, one per byte, into row `row` of `packed`; unused bits of the last byte are zero.
    public static void packRow(byte[] codes, int bits, Tensor packed, long row) {
        MemorySegment data = packed.data();
        long at = row * packed.columns();
        int buffer = 0;
        int filled = 0;
        for (byte code : codes) {
            buffer |= (code & 0xff) << filled;
            filled += bits;
            if (filled >= 8) {
                data.set(ValueLayout.JAVA_BYTE, at++, (byte) buffer);
                buffer >>>= 8;
                filled -= 8;
            }
        }
        if (filled > 0) {
            data.set(ValueLayout.JAVA_BYTE, at, (byte) buffer);
        }
    }

    /// Unpacks row `row` into one code per byte, as many as `codes` holds.
    public static void unpackRow(Tensor packed, long row, int bits, byte[] codes) {
        unpackRow(packed, row, bits, codes, codes.length);
    }

    /// Unpacks the first `count` codes of row `row`, one per byte.
    public static void unpackRow(Tensor packed, long row, int bits, byte[] codes, int count) {
        MemorySegment data = packed.data();
        long at = row * packed.columns();
        int mask = (1 << bits) - 1;
        int buffer = 0;
        int filled = 0;
        for (int j = 0; j < count; j++) {
            if (filled < bits) {
                buffer |= (data.get(ValueLayout.JAVA_BYTE, at++) & 0xff) << filled;
                filled += 8;
            }
            codes[j] = (byte) (buffer & mask);
            buffer >>>= bits;
            filled -= bits;
        }
    }
}
