// Every kernel of any4j's CUDA device, one module. tools/ptx.sh compiles it per activation type and architecture.
#include "attention.cuh"
#include "choose.cuh"
#include "elementwise.cuh"
#include "embed.cuh"
#ifdef ANY4_STREAM
#include "gemm_wide.cuh"
#else
#include "gemm_registers.cuh"
#endif
#include "gemm_experts.cuh"
#include "moe.cuh"
#include "norm.cuh"
#include "rope.cuh"
#include "transform.cuh"

// Kernels by tokens of a block. Those that load weights to registers: units fetched ahead, as many as there are registers for,
// and the blocks that share a multiprocessor.
#ifdef ANY4_STREAM
#define ANY4_CODED(name, format, group)         \
  ANY4_STREAMED(name, format, group, 4, 2)      \
  ANY4_WIDE(name, format, group, 8, 2)          \
  ANY4_WIDE(name, format, group, 16, 2)         \
  ANY4_WIDE(name, format, group, 32, 1)         \
  ANY4_STREAMED(name, format, group, 64, 1)     \
  ANY4_EXPERTS(name, format, group, 4, 4)       \
  ANY4_EXPERTS(name, format, group, 8, 4)
#define ANY4_DENSE(name, format, group)         \
  ANY4_STREAMED(name, format, group, 8, 2)      \
  ANY4_STREAMED(name, format, group, 16, 2)     \
  ANY4_STREAMED(name, format, group, 32, 2)     \
  ANY4_STREAMED(name, format, group, 64, 1)     \
  ANY4_EXPERTS(name, format, group, 8, 2)
#else
#define ANY4_CODED(name, format, group)         \
  ANY4_LOADED(name, format, group, 4, 4, 2)     \
  ANY4_LOADED(name, format, group, 8, 4, 2)     \
  ANY4_LOADED(name, format, group, 16, 1, 2)    \
  ANY4_LOADED(name, format, group, 32, 2, 1)    \
  ANY4_LOADED(name, format, group, 64, 1, 1)    \
  ANY4_EXPERTS(name, format, group, 4, 4)       \
  ANY4_EXPERTS(name, format, group, 8, 4)
#define ANY4_DENSE(name, format, group)         \
  ANY4_LOADED(name, format, group, 8, 2, 2)     \
  ANY4_LOADED(name, format, group, 16, 2, 2)    \
  ANY4_LOADED(name, format, group, 32, 2, 2)    \
  ANY4_LOADED(name, format, group, 64, 2, 1)    \
  ANY4_EXPERTS(name, format, group, 8, 2)
#endif
#define ANY4_FORMAT(name, format) \
  ANY4_CODED(name, format, 32)    \
  ANY4_CODED(name, format, 64)    \
  ANY4_CODED(name, format, 128)

ANY4_FORMAT(lut4, Lut4)
ANY4_FORMAT(int4, Int4)
ANY4_FORMAT(int8, Int8)
ANY4_DENSE(dense, Dense, 64)
