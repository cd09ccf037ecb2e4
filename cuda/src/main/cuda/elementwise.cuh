// The small operations of a decoder.
#pragma once
#include "kv.cuh"
#include "pack.cuh"

__device__ __forceinline__ float silu(float v) { return v / (1.f + __expf(-v)); }

__device__ __forceinline__ float4 gated(float4 g, float4 u) {
  return make_float4(silu(g.x) * u.x, silu(g.y) * u.y, silu(g.z) * u.z, silu(g.w) * u.w);
}

// grid (chunks / WARPS rounded up, rows); packs its result too where p.x is given
extern "C" __global__ void __launch_bounds__(THREADS) swiglu(const float* gate, const float* up, float* out, int width,
    const __grid_constant__ Packed p) {
  letNextStart();
  awaitPrevious();
  int token = blockIdx.y, lane = threadIdx.x & 31, chunk = blockIdx.x * WARPS + (threadIdx.x >> 5);
  int columns = p.x && p.columns > width ? p.columns : width;
  if (chunk * CHUNK >= columns) return;
  size_t row = (size_t)token * width;
  int column = chunk * CHUNK + lane * 4;
  float4 a = gated(loadFour(gate + row, column, width), loadFour(up + row, column, width));
  float4 b = gated(loadFour(gate + row, column + 128, width), loadFour(up + row, column + 128, width));
  storeFour(out + row, column, width, a);
  storeFour(out + row, column + 128, width, b);
  if (p.x) packChunk(p, token, chunk, lane, a, b);
}

extern "C" __global__ void __launch_bounds__(THREADS) add(float* x, const float* y, long long length) {
  letNextStart();
  awaitPrevious();
  long long i = (long long)blockIdx.x * THREADS + threadIdx.x;
  if (i < length) x[i] += y[i];
}

// grid (width / THREADS rounded up, tokens)
extern "C" __global__ void __launch_bounds__(THREADS) add_bias(float* y, const float* bias, int width) {
  letNextStart();
  awaitPrevious();
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (i < width) y[(size_t)blockIdx.y * width + i] += bias[i];
}

// out[i] = x[rows[i]]; grid (width / THREADS rounded up, rows)
extern "C" __global__ void __launch_bounds__(THREADS) gather(const float* x, const int* rows, float* out, int width) {
  letNextStart();
  awaitPrevious();
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (i < width) out[(size_t)blockIdx.y * width + i] = x[(size_t)rows[blockIdx.y] * width + i];
}

// out[rows[i]] += factors[i] * x[i]; the rows are distinct
extern "C" __global__ void __launch_bounds__(THREADS) scatter_add(const float* x, const int* rows, const float* factors,
    float* out, int width) {
  letNextStart();
  awaitPrevious();
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (i >= width) return;
  size_t at = (size_t)rows[blockIdx.y] * width + i;
  out[at] = fmaf(factors[blockIdx.y], x[(size_t)blockIdx.y * width + i], out[at]);
}

// Appends rows to a cache at the position that device memory holds.
template <class Kv>
__device__ __forceinline__ void append(const float* source, void* cache, int width, const int* position) {
  letNextStart();
  awaitPrevious();
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (i < width)
    static_cast<typename Kv::Element*>(cache)[(size_t)(*position + blockIdx.y) * width + i] =
        Kv::rounded(source[(size_t)blockIdx.y * width + i]);
}

#define ANY4_STORE(name, kv)                                                                                    \
  extern "C" __global__ void __launch_bounds__(THREADS) store_##name(const float* source, void* cache, int width, \
      const int* position) {                                                                                    \
    append<kv>(source, cache, width, position);                                                                 \
  }
ANY4_STORE(f32, KvF32)
ANY4_STORE(bf16, KvBf16)
ANY4_STORE(f16, KvF16)
