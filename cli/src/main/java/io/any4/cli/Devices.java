package io.any4.cli;

import io.any4.tinygemm.Accelerator;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.DeviceProvider;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/// The devices beside the processor, and its accelerators, as far as modules that offer any are present.
final class Devices {
    static final String CPU = "cpu";
    /// The accelerator that is none.
    static final String NONE = "none";

    private Devices() {}

    static List<DeviceProvider> providers() {
        return ServiceLoader.load(DeviceProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }

    /// Opens a device by its name, such as `cuda` or `cuda:1`.
    ///
    /// @throws ParameterException if no module offers a device of that name
    static Device open(String name, CommandSpec verb) {
        String[] parts = name.split(":", 2);
        for (DeviceProvider provider : providers()) {
            if (provider.name().equals(parts[0])) {
                return provider.open(parts.length == 1 ? 0 : index(name, parts[1], verb));
            }
        }
        String known = Stream.concat(Stream.of(CPU), providers().stream().map(DeviceProvider::name))
                .collect(Collectors.joining(", "));
        throw new ParameterException(
                verb.commandLine(), "unknown device '%s': supported are %s".formatted(name, known));
    }

    static List<Accelerator> accelerators() {
        return ServiceLoader.load(Accelerator.class).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }

    /// Finds an accelerator of the processor by its name.
    ///
    /// @throws ParameterException if no module offers one of that name
    static Accelerator accelerator(String name, CommandSpec verb) {
        List<Accelerator> known = accelerators();
        return known.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ParameterException(
                        verb.commandLine(),
                        "unknown accelerator '%s': supported are %s"
                                .formatted(
                                        name,
                                        Stream.concat(
                                                        Stream.of(NONE),
                                                        known.stream().map(Accelerator::name))
                                                .collect(Collectors.joining(", ")))));
    }

    private static int index(String name, String digits, CommandSpec verb) {
        if (!digits.matches("\\d{1,4}")) {
            throw new ParameterException(
                    verb.commandLine(), "'%s' names no device: a number has to follow the colon".formatted(name));
        }
        return Integer.parseInt(digits);
    }
}
