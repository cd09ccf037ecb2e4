package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.Action;
import io.any4.cuda.ptx.Instruction.Space;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Turns the text of one instruction into an [Instruction].
final class Decoder {
    private static final Pattern ADDRESS = Pattern.compile("^\\[\\s*([%$\\w.]+)\\s*(?:\\+\\s*(-?\\d+))?\\s*]$");

    private final KernelBuilder builder;
    private int guard = -1;
    private boolean negated;
    private long offset;

    Decoder(KernelBuilder builder) {
        this.builder = builder;
    }

    Instruction decode(String text) {
        String rest = text;
        if (rest.startsWith("@")) {
            String[] split = rest.split("\\s+", 2);
            negated = split[0].startsWith("@!");
            guard = builder.operand(split[0].substring(negated ? 2 : 1));
            rest = split[1];
        }
        String[] split = rest.split("\\s+", 2);
        String opcode = split[0];
        List<String> operands = split.length == 1 ? List.of() : operands(split[1]);
        return switch (opcode.replaceFirst("\\..*", "")) {
            case "bra" -> instruction(new Action.Branch(), List.of(), List.of(), operands.getFirst(), text);
            case "ret", "exit" -> plain(new Action.Exit(), text);
            case "bar", "barrier" -> plain(barrier(opcode), text);
            case "griddepcontrol" -> plain(new Action.Nothing(), text);
            case "ld" -> load(opcode, operands, text);
            case "st" -> store(opcode, operands, text);
            case "shfl" -> first(new Action.Shuffle(part(opcode, 2)), operands, text);
            case "mma" -> first(multiply(opcode), operands, text);
            case "mov" -> move(opcode, operands, text);
            case "bfi" -> insertBits(operands, text);
            default -> first(new Action.Compute(Functions.find(opcode)), operands, text);
        };
    }

    private static Action barrier(String opcode) {
        if (!opcode.equals("bar.sync") && !opcode.equals("barrier.sync")) {
            throw new PtxException("unknown barrier " + opcode);
        }
        return new Action.Barrier();
    }

    private static Action multiply(String opcode) {
        return switch (opcode) {
            case "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" -> new Action.Multiply(false);
            case "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32" -> new Action.Multiply(true);
            default -> throw new PtxException("unknown tensor-core product " + opcode);
        };
    }

    private Instruction move(String opcode, List<String> operands, String text) {
        PtxType type = type(opcode);
        List<String> from = elements(operands.get(1));
        List<String> to = elements(operands.get(0));
        if (from.size() > 1) {
            return instruction(new Action.Join(type.bits() / from.size()), to, from, "", text);
        }
        if (to.size() > 1) {
            return instruction(new Action.Split(type.bits() / to.size()), to, from, "", text);
        }
        return instruction(new Action.Compute((a, b, c) -> type.clip(a)), to, from, "", text);
    }

    private Instruction insertBits(List<String> operands, String text) {
        int position = Integer.parseInt(operands.get(3));
        int length = Integer.parseInt(operands.get(4));
        Action action = new Action.Compute(Functions.insertBits(position, length));
        return first(action, operands.subList(0, 3), text);
    }

    private Instruction load(String opcode, List<String> operands, String text) {
        Action action = new Action.Load(space(opcode), type(opcode));
        return instruction(action, elements(operands.get(0)), List.of(base(operands.get(1))), "", text);
    }

    private Instruction store(String opcode, List<String> operands, String text) {
        List<String> sources = new ArrayList<>(List.of(base(operands.get(0))));
        sources.addAll(elements(operands.get(1)));
        return instruction(new Action.Store(space(opcode), type(opcode)), List.of(), sources, "", text);
    }

    private String base(String operand) {
        Matcher address = ADDRESS.matcher(operand);
        if (!address.find()) {
            throw new PtxException("unknown address " + operand);
        }
        offset = address.group(2) == null ? 0 : Long.parseLong(address.group(2));
        return address.group(1);
    }

    /// The first operand is written, all others are read.
    private Instruction first(Action action, List<String> operands, String text) {
        List<String> sources = new ArrayList<>();
        for (String operand : operands.subList(1, operands.size())) {
            sources.addAll(elements(operand));
        }
        return instruction(action, elements(operands.getFirst()), sources, "", text);
    }

    private Instruction plain(Action action, String text) {
        return instruction(action, List.of(), List.of(), "", text);
    }

    private Instruction instruction(
            Action action, List<String> destinations, List<String> sources, String label, String text) {
        return new Instruction(
                action, guard, negated, registers(destinations), registers(sources), offset, label, text);
    }

    private int[] registers(List<String> names) {
        return names.stream().mapToInt(builder::operand).toArray();
    }

    private static Space space(String opcode) {
        return Space.valueOf(part(opcode, 1).toUpperCase(Locale.ROOT));
    }

    private static PtxType type(String opcode) {
        return PtxType.parse(opcode.substring(opcode.lastIndexOf('.') + 1));
    }

    private static String part(String opcode, int index) {
        return opcode.split("\\.")[index];
    }

    /// The elements of `{a, b}` or `a|b`, or the operand itself.
    private static List<String> elements(String operand) {
        String inner = operand.startsWith("{") ? operand.substring(1, operand.length() - 1) : operand;
        return List.of(inner.strip().split("\\s*[,|]\\s*"));
    }

    /// Splits at the commas outside braces.
    private static List<String> operands(String text) {
        List<String> operands = new ArrayList<>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i <= text.length(); i++) {
            char c = i == text.length() ? ',' : text.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (c == ',' && depth == 0) {
                operands.add(text.substring(start, i).strip());
                start = i + 1;
            }
        }
        return operands;
    }
}
