package io.any4.tinygemm;

import java.util.stream.IntStream;

/// The tables of a [LutWeight] in the form lookups want.
final class LutTables {
    private LutTables() {}

    /// All tables as floats, each repeated until it has `entries` entries.
    static float[] repeated(LutWeight weight, int entries) {
        int tables = Math.toIntExact(weight.lut().rows());
        int levels = weight.levels();
        float[] out = new float[Math.multiplyExact(tables, entries)];
        for (int row = 0; row < tables; row++) {
            for (int at = 0; at < entries; at += levels) {
                weight.lut().copyRow(row, out, row * entries + at);
            }
        }
        return out;
    }

    /// The bytes of repeated tables: for each table its `entries` lowest bytes, then the next higher ones, to the
    /// highest.
    static byte[] planes(float[] tables, int entries) {
        byte[] out = new byte[Math.multiplyExact(tables.length, 4)];
        for (int i = 0; i < tables.length; i++) {
            int bits = Float.floatToRawIntBits(tables[i]);
            int at = i / entries * entries * 4 + i % entries;
            for (int plane = 0; plane < 4; plane++) {
                out[at + plane * entries] = (byte) (bits >>> (8 * plane));
            }
        }
        return out;
    }

    /// Whether the lower halves of all entries are zero, as in bf16.
    static boolean fitBf16(float[] tables) {
        return IntStream.range(0, tables.length).allMatch(i -> (Float.floatToRawIntBits(tables[i]) & 0xffff) == 0);
    }

    /// Whether all entries are zero or normal F16 numbers.
    static boolean fitF16(float[] tables) {
        return IntStream.range(0, tables.length).allMatch(i -> isNormalF16(tables[i]));
    }

    private static boolean isNormalF16(float value) {
        boolean exact = Float.float16ToFloat(Float.floatToFloat16(value)) == value;
        return exact && Float.isFinite(value) && (value == 0 || Math.abs(value) >= 0x1p-14f);
    }

    /// Entries as F16 in the upper halves of floats.
    static float[] asF16(float[] tables) {
        float[] out = new float[tables.length];
        for (int i = 0; i < tables.length; i++) {
            out[i] = Float.intBitsToFloat(Float.floatToFloat16(tables[i]) << 16);
        }
        return out;
    }
}
