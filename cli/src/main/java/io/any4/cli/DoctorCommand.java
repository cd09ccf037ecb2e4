package io.any4.cli;

import io.any4.tinygemm.Activations;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "doctor",
        description = {
            "Show what any4j would compute with on this machine, and why.",
            "",
            "With --require vector it fails where only the slow scalar kernels can run."
        })
final class DoctorCommand implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        Map<String, String> findings = new LinkedHashMap<>();
        findings.put("any4j", Version.text());
        findings.put("java", "%s, %s".formatted(Runtime.version(), System.getProperty("java.vm.name")));
        findings.put("java home", System.getProperty("java.home"));
        findings.put("system", "%s, %s".formatted(System.getProperty("os.name"), System.getProperty("os.arch")));
        findings.put(
                "processor",
                "%s, %d available"
                        .formatted(
                                MachineFacts.processor(), Runtime.getRuntime().availableProcessors()));
        findings.put("memory", memory());
        try (Device device = root.openDeviceToRun()) {
            findings.put("device", device.describe());
        }
        findings.put("int14", activations(Activations.INT14, "activations of 14 bits, to run models with"));
        findings.put("int8", activations(Activations.INT8, "activations of 8 bits, for prompts and several texts"));
        Devices.providers().forEach(provider -> findings.put(provider.name(), provider.probe()));
        Devices.accelerators().forEach(accelerator -> findings.put(accelerator.name(), accelerator.probe()));
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.line(findings));
        } else {
            findings.forEach((what, found) -> out.printf("%-10s %s%n", what, found));
        }
        return 0;
    }

    private static String activations(Activations activations, String found) {
        return CpuDevice.obstacle(activations)
                .map(obstacle -> "none: " + obstacle)
                .orElse(found);
    }

    private static String memory() {
        return "%.1f GB, at most %.1f GB of it for the Java heap; weights are mapped outside the heap"
                .formatted(MachineFacts.memory() / 1e9, Runtime.getRuntime().maxMemory() / 1e9);
    }
}
