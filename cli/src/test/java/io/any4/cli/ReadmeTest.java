package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.example.Example;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the documents say is true.
class ReadmeTest {
    private static final Path ROOT = Path.of("..");
    private static final Path EXAMPLE = Path.of("src/test/java/io/any4/example/Example.java");

    @TempDir
    Path directory;

    @Test
    void theJavaExampleIsTheOneThatIsCompiledHere() throws IOException {
        String source = Files.readString(EXAMPLE);
        String shown = source.substring(source.indexOf("import io.any4.Any4"));
        assertThat(Files.readString(ROOT.resolve("README.md"))).contains("```java\n" + shown + "```");
    }

    @Test
    void theJavaExampleRuns() {
        PrintStream screen = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            Example.main(new String[] {
                TinyLlama.DEMO.toString(), directory.resolve("quantized").toString()
            });
        } finally {
            System.setOut(screen);
        }
        List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSizeGreaterThanOrEqualTo(2);
        assertThat(Double.parseDouble(lines.getLast())).isBetween(2.0, 1000.0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "CONTRIBUTING.md", "docs/tasks.md", "docs/accuracy.md"})
    void everyCommandShownExists(String document) throws IOException {
        Set<String> verbs = Main.commandLine(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()))
                .getSubcommands()
                .keySet();
        List<String> shown = Pattern.compile("(?m)^ {4}(?:\\./)?any4j ([a-z]+)")
                .matcher(Files.readString(ROOT.resolve(document)))
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(verbs).containsAll(shown);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "README.md",
                "CONTRIBUTING.md",
                "ARCHITECTURE.md",
                "docs/papers.md",
                "docs/accuracy.md",
                "docs/any4s.md"
            })
    void everyLinkedFileExists(String document) throws IOException {
        Path file = ROOT.resolve(document);
        List<String> links = Pattern.compile("\\]\\(([^):#]+)\\)")
                .matcher(Files.readString(file))
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
        assertThat(links)
                .allSatisfy(link -> assertThat(file.resolveSibling(link)).exists());
    }

    @Test
    void everyClassInThePaperMapExists() throws IOException {
        List<String> classes = Pattern.compile("`([a-z]+(?:/[a-z]+)*/[A-Z]\\w+)`")
                .matcher(Files.readString(ROOT.resolve("docs/papers.md")))
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(classes)
                .hasSizeGreaterThan(20)
                .allSatisfy(name -> assertThat(sourceOf(name)).isTrue());
    }

    private static boolean sourceOf(String name) {
        return List.of("core", "eval", "cuda", "cli").stream()
                .map(module -> ROOT.resolve(module).resolve("src/main/java/io/any4/" + name + ".java"))
                .anyMatch(Files::exists);
    }
}
