package io.any4.tinygemm;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.Isa;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// The instructions that [Activations#INT14] takes in this process: the best there are, or those that a system
/// property names, to measure with others.
final class IntegerInstructions {
    static final String PROPERTY = "any4.isa";

    private IntegerInstructions() {}

    static Optional<Isa> chosen() {
        String asked = System.getProperty(PROPERTY);
        return IntegerPrograms.isas(Simd.BITS).stream()
                .filter(isa -> asked == null || isa.name().equalsIgnoreCase(asked))
                .findFirst();
    }

    /// Why [#chosen] is empty, with what would help; empty if it is not.
    static Optional<String> obstacle() {
        List<Isa> isas = IntegerPrograms.isas(Simd.BITS);
        if (isas.isEmpty()) {
            return Optional.of(IntegerPrograms.obstacle());
        }
        if (chosen().isPresent()) {
            return Optional.empty();
        }
        String supported =
                isas.stream().map(isa -> isa.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "));
        return Optional.of("system property %s is '%s': supported here are %s"
                .formatted(PROPERTY, System.getProperty(PROPERTY), supported));
    }

    /// What is chosen, for a person.
    static String describe() {
        String name = switch (chosen().orElseThrow()) {
            case AVX512_VNNI -> "AVX-512 VNNI";
            case AVX_VNNI -> "AVX-VNNI";
            case AVX2 -> "AVX2";
        };
        return "looked-up weights times 14-bit activations by " + name;
    }
}
