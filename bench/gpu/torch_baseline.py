"""The same products in PyTorch: its bf16 matmul and its int4 kernel, timed as GpuBench times ours, and the ratio to ours.

Weights rotate through at least 512 MB; a round is one CUDA graph; the median of the rounds counts.
torch_baseline.py PRODUCTS.txt [quick]: what GpuBench printed.
"""
import math
import sys
import torch


def ours(path):
    """Microseconds of any4 in groups of 128 by (rows, columns, tokens): the newest kernels that the chip runs."""
    times = {}
    for line in open(path):
        field = line.split()
        if len(field) > 6 and field[0] == "ANY4" and field[3] == "128":
            registers, streamed = float(field[5]), float(field[6])
            times[tuple(map(int, (field[1], field[2], field[4])))] = registers if math.isnan(streamed) else streamed
    return times


ROTATION = 512 << 20
ROUNDS = 15


def median_seconds(work):
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    times = []
    for i in range(-2, ROUNDS):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        if i >= 0:
            times.append(begin.elapsed_time(end) / 1e3)
    return sorted(times)[ROUNDS // 2]


def bf16(rows, columns, tokens):
    count = -(-ROTATION // (rows * columns * 2))
    weights = [torch.randn(rows, columns, device="cuda", dtype=torch.bfloat16) for _ in range(count)]
    x = torch.randn(tokens, columns, device="cuda", dtype=torch.bfloat16)

    def work():
        for w in weights:
            torch.nn.functional.linear(x, w)

    return median_seconds(work) / count


def int4(rows, columns, tokens):
    count = -(-ROTATION // (rows * columns // 2))
    codes = torch.randint(0, 256, (rows, columns // 2), device="cuda", dtype=torch.uint8)
    packed = torch.ops.aten._convert_weight_to_int4pack(codes, 8)
    weights = [packed.clone() for _ in range(count)]
    scales = torch.randn(columns // 128, rows, 2, device="cuda", dtype=torch.bfloat16)
    x = torch.randn(tokens, columns, device="cuda", dtype=torch.bfloat16)

    def work():
        for w in weights:
            torch.ops.aten._weight_int4pack_mm(x, w, 128, scales)

    return median_seconds(work) / count


print("torch", torch.__version__, torch.cuda.get_device_name())
print("   rows  columns  tokens   bf16 microseconds   int4 microseconds   any4 microseconds   bf16 / any4   int4 / any4")
BARS = {4096: 2.6, 8192: 3.2}  # how many times faster than bf16 any4 is to be
bars = []
mine = ours(sys.argv[1])
quick = len(sys.argv) > 2
shapes = [(4096, 4096), (8192, 8192)] if quick else [
    (1024, 1024), (2048, 2048), (4096, 4096), (8192, 8192), (6144, 4096), (28672, 4096), (4096, 14336)]
for rows, columns in shapes:
    for tokens in [1, 16] if quick else [1, 2, 4, 8, 16, 32, 64]:
        try:
            four = int4(rows, columns, tokens)
        except Exception as e:  # the operator's arguments differ between versions
            print("int4:", str(e).splitlines()[0])
            four = float("nan")
        sixteen = bf16(rows, columns, tokens) * 1e6
        any4 = mine.get((rows, columns, tokens), float("nan"))
        if tokens == 1 and rows == columns and rows in BARS:
            ratio, bar = sixteen / any4, BARS[rows]
            bars.append(f"bar: {'pass' if ratio >= bar else 'miss'} {rows} x {columns}, batch 1: "
                        f"time of torch bf16 by any4: {ratio:.2f}, at least {bar:.2f}")
        print(f"{rows:7d}  {columns:7d}  {tokens:6d}   {sixteen:17.2f}   {four * 1e6:17.2f}   {any4:17.2f}"
              f"   {sixteen / any4:11.2f}   {four * 1e6 / any4:11.2f}", flush=True)
print("\n".join(bars))
