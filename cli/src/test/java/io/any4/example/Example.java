package io.any4.example;

import io.any4.Any4;
import java.nio.file.Path;

public class Example {
    public static void main(String[] args) {
        Path quantized = Path.of(args[1]);
        Any4.quantize(Path.of(args[0]), quantized, "any4,group-size=64");
        try (Any4 model = Any4.load(quantized)) {
            System.out.println(model.generate("Once upon a time", 32));
            System.out.println(model.perplexity("The sea was calm that morning."));
        }
    }
}
