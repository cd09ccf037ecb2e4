package io.any4.cli;

import io.any4.tinygemm.Device;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/// What to know to get the numbers of a report again.
final class Provenance {
    private Provenance() {}

    static SequencedMap<String, String> of(CommandSpec verb, Device device) {
        SequencedMap<String, String> facts = new LinkedHashMap<>();
        facts.put("Command", commandLine(verb));
        facts.put("Software", "any4j %s, Java %s".formatted(Version.text(), Runtime.version()));
        facts.put("Device", device.describe());
        facts.put(
                "System",
                "%s %s, %s"
                        .formatted(
                                System.getProperty("os.name"),
                                System.getProperty("os.arch"),
                                MachineFacts.processor()));
        facts.put("Date", LocalDate.now(ZoneId.systemDefault()).toString());
        facts.put("Perplexity", "GPTQ protocol: one tokenization, windows without overlap, tail dropped");
        return facts;
    }

    private static String commandLine(CommandSpec verb) {
        return verb.root().commandLine().getParseResult().originalArgs().stream()
                .map(argument -> argument.matches("[\\w@%+=:,./*-]+") ? argument : "'" + argument + "'")
                .collect(Collectors.joining(" ", "any4j ", ""));
    }
}
