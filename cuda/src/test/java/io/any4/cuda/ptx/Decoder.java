package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.Action;
import io.any4.cuda.ptx.Instruction.Operands;
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
            case "membar" -> plain(gpuFence(opcode), text);
            case "fence" -> plain(proxyFence(opcode), text);
            case "griddepcontrol" ->
                plain(opcode.endsWith(".wait") ? new Action.GridWait() : new Action.LetNextStart(), text);
            case "atom" -> atomic(opcode, operands, text);
            case "mbarrier" -> sharedBarrier(opcode, operands, text);
            case "cp" -> bulkCopy(opcode, operands, text);
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
        return switch (opcode) {
            case "bar.sync", "barrier.sync" -> new Action.Barrier();
            case "bar.warp.sync" -> new Action.WarpBarrier();
            default -> throw new PtxException("unknown barrier " + opcode);
        };
    }

    private static Action gpuFence(String opcode) {
        if (!opcode.equals("membar.gl")) {
            throw new PtxException("unknown fence " + opcode);
        }
        return new Action.Fence();
    }

    private static Action proxyFence(String opcode) {
        if (!opcode.equals("fence.proxy.async.shared::cta")) {
            throw new PtxException("unknown fence " + opcode);
        }
        return new Action.PublishBarriers();
    }

    private Instruction sharedBarrier(String opcode, List<String> operands, String text) {
        return switch (opcode) {
            case "mbarrier.init.shared::cta.b64" -> addressed(new Action.InitBarrier(), List.of(), operands, 0, text);
            case "mbarrier.arrive.expect_tx.shared::cta.b64" ->
                addressed(new Action.ArriveExpecting(), List.of(), operands.subList(1, 3), 0, text);
            case "mbarrier.try_wait.parity.shared::cta.b64" ->
                addressed(new Action.TestPhase(), operands.subList(0, 1), operands.subList(1, 3), 0, text);
            default -> throw new PtxException("unknown barrier " + opcode);
        };
    }

    private Instruction bulkCopy(String opcode, List<String> operands, String text) {
        if (!opcode.equals("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes")) {
            throw new PtxException("unknown copy " + opcode);
        }
        return addressed(new Action.BulkCopy(), List.of(), operands, -1, text);
    }

    /// An instruction whose sources in brackets are addresses; only that at an index may have an offset.
    private Instruction addressed(
            Action action, List<String> destinations, List<String> operands, int withOffset, String text) {
        List<String> sources = new ArrayList<>();
        long kept = 0;
        for (int i = 0; i < operands.size(); i++) {
            boolean address = operands.get(i).startsWith("[");
            sources.add(address ? base(operands.get(i)) : operands.get(i));
            if (address && offset != 0 && i != withOffset) {
                throw new PtxException("unexpected offset in: " + text);
            }
            kept = i == withOffset ? offset : kept;
        }
        offset = kept;
        return instruction(action, destinations, sources, "", text);
    }

    private static Action multiply(String opcode) {
        return switch (opcode) {
            case "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" -> new Action.Multiply(Operands.BF16);
            case "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32" -> new Action.Multiply(Operands.F16);
            case "mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32" -> new Action.Multiply(Operands.BYTES);
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
        List<String> to = elements(operands.get(0));
        Action action =
                new Action.Load(space(opcode), type(opcode), to.getFirst().startsWith("%rd"));
        return instruction(action, to, List.of(base(operands.get(1))), "", text);
    }

    private Instruction store(String opcode, List<String> operands, String text) {
        List<String> sources = new ArrayList<>(List.of(base(operands.get(0))));
        sources.addAll(elements(operands.get(1)));
        return instruction(new Action.Store(space(opcode), type(opcode)), List.of(), sources, "", text);
    }

    private Instruction atomic(String opcode, List<String> operands, String text) {
        boolean adds = part(opcode, 2).equals("add");
        if (!adds && !part(opcode, 2).equals("exch")) {
            throw new PtxException("unknown atomic " + opcode);
        }
        List<String> sources = List.of(base(operands.get(1)), operands.get(2));
        Action action = new Action.Atomic(space(opcode), type(opcode), adds);
        return instruction(action, List.of(operands.getFirst()), sources, "", text);
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
