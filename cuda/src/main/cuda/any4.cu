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

// Per column tiles of 8 tokens: units fetched ahead, as many as registers hold without spilling (streaming kernels keep
// theirs in shared memory), and the blocks that share a multiprocessor.
#ifdef ANY4_STREAM
#define ANY4_BLOCKS(group) 2
#else
#define ANY4_BLOCKS(group) (group == 32 ? 1 : 2)  // twice the scales
#endif
#define ANY4_GROUP(name, format, group, narrow, wide)      \
  ANY4_GEMM(name, format, group, 1, narrow, 2)             \
  ANY4_GEMM(name, format, group, 2, narrow, 2)             \
  ANY4_GEMM(name, format, group, 4, 2, ANY4_BLOCKS(group)) \
  ANY4_GEMM(name, format, group, 8, wide, 1)               \
  ANY4_EXPERTS(name, format, group, narrow)
#define ANY4_FORMAT(name, format, wide) \
  ANY4_GROUP(name, format, 32, 4, 2)    \
  ANY4_GROUP(name, format, 64, 4, 2)    \
  ANY4_GROUP(name, format, 128, 4, wide)

ANY4_FORMAT(lut4, Lut4, 2)
ANY4_FORMAT(int4, Int4, 2)
ANY4_FORMAT(int8, Int8, 1)
ANY4_GROUP(dense, Dense, 64, 2, 2)
