package io.any4.cli;

final class Main {
    private Main() {}

    public static void main(String[] args) {}
}
