package io.any4.bench;

import io.any4.tinygemm.Activations;

/// How far a product may be from one in double precision, as a share of the sum of the sizes of all terms.
final class Tolerance {
    private Tolerance() {}

    static double of(Activations activations) {
        return switch (activations) {
            case F32 -> 1e-5;
            case INT14 -> 4e-4;
            case INT8 -> 1e-2;
        };
    }
}
