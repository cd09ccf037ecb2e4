package io.any4.machine;

/// A set of vector instructions that programs are written for.
public enum Isa {
    /// Vectors of 512 bits and VNNI: one permutation looks up 32 entries of 16 bits, and one instruction adds
    /// the products of 16 pairs to 16 sums.
    AVX512_VNNI(64, 4, 12, true),

    /// Vectors of 256 bits: two shuffles look up the lower and upper bytes of 32 entries. The sum of products
    /// is one instruction, as with 512 bits.
    AVX_VNNI(32, 2, 6, true),

    /// The same, but a product of pairs and its sum are two instructions.
    AVX2(32, 2, 4, false);

    /// Bytes of a vector.
    final int bytes;

    /// The most tokens that rows meet while they are looked up.
    final int decodeTokens;

    /// Tokens of a tile.
    final int tileTokens;

    /// Whether products of pairs are added by the instruction that multiplies.
    final boolean addsProducts;

    Isa(int bytes, int decodeTokens, int tileTokens, boolean addsProducts) {
        this.bytes = bytes;
        this.decodeTokens = decodeTokens;
        this.tileTokens = tileTokens;
        this.addsProducts = addsProducts;
    }

    /// Whether products of bytes can be added exactly, by one instruction.
    public boolean addsBytes() {
        return this != AVX2;
    }

    /// Whether tables are two planes of bytes, the lower and the upper ones, rather than integers of 16 bits.
    boolean looksUpBytes() {
        return this != AVX512_VNNI;
    }

    /// Integers of 32 bits in a vector.
    int lanes() {
        return bytes / 4;
    }

    /// Vectors of looked-up entries in a block.
    int vectors(RowShape shape) {
        return shape.tokenBlockBytes() / bytes;
    }

    /// The column of a block that is the `position`-th of 16 bits when codes are unpacked.
    ///
    /// With 512 bits, codes are taken as integers of 16 bits, and vector `n` has the n-th code of each. With
    /// 256 bits, they are taken as bytes: for each half of the block and each code `n` of a byte, a vector of
    /// the lower eight bytes of either 16 and one of the upper eight.
    int column(RowShape shape, int position) {
        int vector = position / (bytes / 2);
        int element = position % (bytes / 2);
        if (!looksUpBytes()) {
            return element * (16 / shape.bits()) + vector;
        }
        int perByte = 8 / shape.bits();
        int half = vector / (2 * perByte);
        int code = vector / 2 % perByte;
        int part = vector % 2;
        int b = 32 * half + 16 * (element / 8) + 8 * part + element % 8;
        return b * perByte + code;
    }

    /// Where the entries of a block are among the vectors of unpacked codes.
    EntryPart part(RowShape shape, int entry) {
        int entries = shape.entriesPerBlock();
        int vectors = vectors(shape);
        if (!looksUpBytes()) {
            int lanes = lanes() / entries;
            return new EntryPart(0, vectors, entry * lanes, lanes);
        }
        return switch (entries) {
            case 1 -> new EntryPart(0, vectors, 0, lanes());
            case 2 -> new EntryPart(entry * vectors / 2, vectors / 2, 0, lanes());
            default -> new EntryPart(entry / 2 * vectors / 2, vectors / 2, entry % 2 * lanes() / 2, lanes() / 2);
        };
    }

    /// The part of a block's vectors that belongs to an entry: some lanes of some vectors.
    record EntryPart(int firstVector, int vectors, int firstLane, int lanes) {
        boolean contains(int vector, int lane) {
            return vector >= firstVector
                    && vector < firstVector + vectors
                    && lane >= firstLane
                    && lane < firstLane + lanes;
        }

        /// Which of the entry's lanes one is.
        int index(int vector, int lane) {
            return (vector - firstVector) * lanes + lane - firstLane;
        }
    }
}
