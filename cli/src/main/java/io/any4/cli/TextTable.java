package io.any4.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/// A table for the terminal: the first column flush left, the others flush right.
final class TextTable {
    private final List<List<String>> rows = new ArrayList<>();

    TextTable(String... header) {
        rows.add(List.of(header));
    }

    void add(String... cells) {
        if (cells.length != rows.getFirst().size()) {
            throw new IllegalArgumentException("%d cells in a table of %d columns"
                    .formatted(cells.length, rows.getFirst().size()));
        }
        rows.add(List.of(cells));
    }

    void print(PrintWriter out) {
        int[] widths = new int[rows.getFirst().size()];
        for (List<String> row : rows) {
            for (int c = 0; c < widths.length; c++) {
                widths[c] = Math.max(widths[c], row.get(c).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int c = 0; c < widths.length; c++) {
                int padding = widths[c] - row.get(c).length();
                line.append(c == 0 ? "" : "  ")
                        .append(c == 0 ? "" : " ".repeat(padding))
                        .append(row.get(c))
                        .append(c == 0 ? " ".repeat(padding) : "");
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
