package io.any4.tinygemm;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.Isa;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// The instructions that [Activations] of integers take in this process: the best there are, or those that a
/// system property names, to measure with others.
final class IntegerInstructions {
    static final String PROPERTY = "any4.isa";

    private IntegerInstructions() {}

    /// @param activations not floats
    static Optional<Isa> chosen(Activations activations) {
        String asked = System.getProperty(PROPERTY);
        return supported(activations).stream()
                .filter(isa -> asked == null || isa.name().equalsIgnoreCase(asked))
                .findFirst();
    }

    private static List<Isa> supported(Activations activations) {
        return IntegerPrograms.isas(Simd.BITS).stream()
                .filter(isa -> activations == Activations.INT14 || isa.addsBytes())
                .toList();
    }

    /// Why [#chosen] is empty, with what would help; empty if it is not.
    static Optional<String> obstacle(Activations activations) {
        List<Isa> isas = supported(activations);
        if (isas.isEmpty()) {
            return Optional.of(
                    IntegerPrograms.isas(Simd.BITS).isEmpty()
                            ? IntegerPrograms.obstacle()
                            : "it takes a processor with VNNI, without which int14 is as fast");
        }
        if (chosen(activations).isPresent()) {
            return Optional.empty();
        }
        String supported =
                isas.stream().map(isa -> isa.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "));
        return Optional.of("system property %s is '%s': supported here are %s"
                .formatted(PROPERTY, System.getProperty(PROPERTY), supported));
    }

    /// What is chosen, for a person.
    static String describe(Activations activations) {
        String name = switch (chosen(activations).orElseThrow()) {
            case AVX512_VNNI -> "AVX-512 VNNI";
            case AVX_VNNI -> "AVX-VNNI";
            case AVX2 -> "AVX2";
        };
        int bits = activations == Activations.INT8 ? 8 : 14;
        return "quantized weights times %d-bit activations by %s".formatted(bits, name);
    }
}
