package io.any4.cli;

import io.any4.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "inspect",
        description = "Show what a checkpoint holds: architecture, tensors, bits per weight, settings.")
final class InspectCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Override
    public Integer call() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            System.out.println(checkpoint.names());
        }
        return 0;
    }
}
