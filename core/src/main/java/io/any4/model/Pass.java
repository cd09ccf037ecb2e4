package io.any4.model;

import io.any4.tinygemm.Device;
import java.util.List;

/// One trip of some tokens through the blocks. A decoder has one object for all of them, so that a token makes none.
final class Pass {
    private final Device device;
    private Scratch scratch;
    private int tokens;
    private List<Part> parts = List.of();
    private Tap tap = Tap.NONE;

    Pass(Device device, Scratch scratch) {
        this.device = device;
        this.scratch = scratch;
    }

    /// Starts another trip.
    ///
    /// @param tokens how many, over all sequences
    /// @param parts the sequences they belong to
    Pass begin(Scratch scratch, int tokens, List<Part> parts, Tap tap) {
        this.scratch = scratch;
        this.tokens = tokens;
        this.parts = parts;
        this.tap = tap;
        return this;
    }

    Device device() {
        return device;
    }

    Scratch scratch() {
        return scratch;
    }

    int tokens() {
        return tokens;
    }

    List<Part> parts() {
        return parts;
    }

    Tap tap() {
        return tap;
    }
}
