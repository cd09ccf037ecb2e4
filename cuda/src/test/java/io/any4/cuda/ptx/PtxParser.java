package io.any4.cuda.ptx;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads the kernels of a PTX text. Of its many kernels a test runs few, so each is decoded when it is asked for.
final class PtxParser {
    private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)\\s*\\(([^)]*)\\)([^{;]*)\\{");
    private static final Pattern PARAMETER =
            Pattern.compile("\\.param\\s+(?:\\.align\\s+(\\d+)\\s+)?\\.([busf])(\\d+)\\s+(\\w+)(?:\\[(\\d+)])?");
    private static final Pattern SHARED =
            Pattern.compile("(?m)^\\.shared\\s+\\.align\\s+(\\d+)\\s+\\.[busf](\\d+)\\s+([\\w$]+)(?:\\[(\\d+)])?;");
    private static final Pattern DYNAMIC =
            Pattern.compile("\\.extern\\s+\\.shared\\s+\\.align\\s+(\\d+)\\s+\\.b8\\s+(\\w+)\\[]");
    private static final Pattern NAMED = Pattern.compile("^\\.reg\\s+\\.\\w+\\s+([a-z][\\w,\\s]*)$");
    private static final Pattern LABEL = Pattern.compile("^([$\\w]+):\\s*");

    private PtxParser() {}

    /// A kernel's text.
    ///
    /// @param ofAll declarations of shared memory that kernels may have in common
    /// @param dynamic the declaration of shared memory whose size a launch gives, or null
    record Source(
            String name,
            String parameters,
            String body,
            String ofAll,
            @Nullable MatchResult dynamic) {}

    static Map<String, Source> split(String ptx) {
        String text = ptx.replaceAll("//[^\n]*", "");
        Map<String, Source> kernels = new HashMap<>();
        // Shared memory of functions that several kernels call.
        String ofAll = text.substring(0, Math.max(0, text.indexOf(".entry")));
        Matcher extern = DYNAMIC.matcher(text);
        MatchResult dynamic = extern.find() ? extern.toMatchResult() : null;
        Matcher entry = ENTRY.matcher(text);
        int from = 0;
        while (entry.find(from)) {
            int end = closingBrace(text, entry.end());
            String body = text.substring(entry.end(), end);
            kernels.put(entry.group(1), new Source(entry.group(1), entry.group(2), body, ofAll, dynamic));
            from = end;
        }
        return kernels;
    }

    private static int closingBrace(String text, int from) {
        int depth = 1;
        int at = from;
        while (depth > 0) {
            char c = text.charAt(at++);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
        }
        return at - 1;
    }

    static Kernel decode(Source source) {
        KernelBuilder builder = new KernelBuilder(source.name);
        Matcher parameter = PARAMETER.matcher(source.parameters);
        while (parameter.find()) {
            int bytes = Integer.parseInt(parameter.group(3)) / 8;
            int alignment = parameter.group(1) == null ? bytes : Integer.parseInt(parameter.group(1));
            int count = parameter.group(5) == null ? 1 : Integer.parseInt(parameter.group(5));
            builder.parameter(parameter.group(4), alignment, bytes * count);
        }
        addShared(builder, SHARED.matcher(source.body), "");
        addShared(builder, SHARED.matcher(source.ofAll), source.body);
        if (source.dynamic != null) {
            builder.dynamicShared(source.dynamic.group(2), Integer.parseInt(source.dynamic.group(1)));
        }
        for (String part : source.body.split(";")) {
            statement(builder, part.strip());
        }
        return builder.build();
    }

    /// @param users text that has to name the memory, if a kernel is to have it
    private static void addShared(KernelBuilder builder, Matcher shared, String users) {
        while (shared.find()) {
            String name = shared.group(3);
            if (users.isEmpty() || users.contains(name)) {
                int count = shared.group(4) == null ? 1 : Integer.parseInt(shared.group(4));
                int bytes = Integer.parseInt(shared.group(2)) / 8 * count;
                builder.shared(name, Integer.parseInt(shared.group(1)), bytes);
            }
        }
    }

    private static void statement(KernelBuilder builder, String text) {
        String rest = withoutScopes(text);
        for (Matcher label = LABEL.matcher(rest); label.find(); label = LABEL.matcher(rest)) {
            builder.label(label.group(1));
            rest = withoutScopes(rest.substring(label.end()));
        }
        Matcher named = NAMED.matcher(rest);
        if (named.find()) {
            for (String name : named.group(1).split(",")) {
                builder.declare(name.strip());
            }
        } else if (!rest.isEmpty() && !rest.startsWith(".")) {
            builder.add(new Decoder(builder).decode(rest));
        }
    }

    /// Braces around inline assembly say nothing here: its registers are written before they are read.
    private static String withoutScopes(String text) {
        String rest = text;
        while (rest.startsWith("{") || rest.startsWith("}")) {
            rest = rest.substring(1).strip();
        }
        return rest;
    }
}
