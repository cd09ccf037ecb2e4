// Every kernel of any4j's CUDA device, one module. tools/ptx.sh compiles it per activation type and architecture.
#include "attention.cuh"
#include "choose.cuh"
#include "elementwise.cuh"
#include "embed.cuh"
#ifdef ANY4_STREAM
#include "gemm_stream.cuh"
#else
#include "gemm_registers.cuh"
#endif
#include "gemm_experts.cuh"
#include "moe.cuh"
#include "norm.cuh"
#include "rope.cuh"
#include "transform.cuh"

// Per tokens of a block: units fetched ahead, as many as registers hold without spilling (streaming kernels keep theirs in
// shared memory), and the blocks that share a multiprocessor.
#define ANY4_GROUP(name, format, group, narrow, wide) \
  ANY4_GEMM(name, format, group, 8, narrow, 2)        \
  ANY4_GEMM(name, format, group, 16, 1, 2)            \
  ANY4_GEMM(name, format, group, 32, 2, 1)            \
  ANY4_GEMM(name, format, group, 64, wide, 1)         \
  ANY4_EXPERTS(name, format, group, 8, narrow)
#define ANY4_CODED(name, format, group, wide) \
  ANY4_GEMM(name, format, group, 4, 4, 2)     \
  ANY4_EXPERTS(name, format, group, 4, 4)     \
  ANY4_GROUP(name, format, group, 4, wide)
#define ANY4_FORMAT(name, format) \
  ANY4_CODED(name, format, 32, 1) \
  ANY4_CODED(name, format, 64, 1) \
  ANY4_CODED(name, format, 128, 1)

ANY4_FORMAT(lut4, Lut4)
ANY4_FORMAT(int4, Int4)
ANY4_FORMAT(int8, Int8)
ANY4_GROUP(dense, Dense, 64, 2, 2)
