// Rotary position embedding: element i of a head turns with element i + headDim / 2.
#pragma once
#include "kv.cuh"

// Sine and cosine of position * frequency, a product rounded to float as checkpoints were trained with. Whole turns come
// off in three steps.
__device__ __forceinline__ void turn(float position, float frequency, float& sine, float& cosine) {
  float angle = position * frequency, turns = rintf(angle * 0.15915494309f);
  angle = fmaf(turns, -6.28125f, angle);
  angle = fmaf(turns, -1.9353071693e-3f, angle);
  angle = fmaf(turns, -1.0253376e-11f, angle);
  sine = __sinf(angle);
  cosine = __cosf(angle);
}

__device__ __forceinline__ void rotate(float* p, int half, float position, float frequency, float& a, float& b) {
  float sine, cosine, x = p[0], y = p[half];
  turn(position, frequency, sine, cosine);
  a = x * cosine - y * sine;
  b = y * cosine + x * sine;
  p[0] = a;
  p[half] = b;
}

// grid (heads * headDim / 2 / THREADS rounded up, tokens)
extern "C" __global__ void __launch_bounds__(THREADS) rope(float* x, const float* frequencies, int heads, int headDim,
    const int* position) {
  letNextStart();
  awaitPrevious();
  int half = headDim >> 1, i = blockIdx.x * THREADS + threadIdx.x;
  if (i >= heads * half) return;
  int head = i / half, e = i - head * half;
  float a, b;
  rotate(x + ((size_t)blockIdx.y * heads + head) * headDim + e, half, (float)(*position + (int)blockIdx.y), frequencies[e], a, b);
}

struct RopeStore {
  float* q;              // [tokens][heads][headDim], turned in place
  float* k;              // [tokens][kvHeads][headDim], turned in place
  const float* v;
  void* keys;            // [positions][kvHeads][headDim] of the cache's type
  void* values;
  const float* frequencies;
  const int* position;
  int heads, kvHeads, headDim, pad;
};

// Turns queries and keys and appends keys and values to the cache, in one go;
// grid ((heads + 3 * kvHeads) * headDim / 2 / THREADS rounded up, tokens)
template <class Kv>
__device__ __forceinline__ void ropeStore(const RopeStore& r) {
  letNextStart();
  awaitPrevious();
  int half = r.headDim >> 1, i = blockIdx.x * THREADS + threadIdx.x, token = blockIdx.y, kvWidth = r.kvHeads * r.headDim;
  int head = i / half, e = i - head * half, position = *r.position + token;
  auto keys = static_cast<typename Kv::Element*>(r.keys), values = static_cast<typename Kv::Element*>(r.values);
  float a, b;
  if (head < r.heads) {
    rotate(r.q + ((size_t)token * r.heads + head) * r.headDim + e, half, (float)position, r.frequencies[e], a, b);
  } else if (head < r.heads + r.kvHeads) {
    size_t at = (size_t)(head - r.heads) * r.headDim + e;
    rotate(r.k + (size_t)token * kvWidth + at, half, (float)position, r.frequencies[e], a, b);
    keys[(size_t)position * kvWidth + at] = Kv::rounded(a);
    keys[(size_t)position * kvWidth + at + half] = Kv::rounded(b);
  } else {
    int at = i - (r.heads + r.kvHeads) * half;
    if (at < kvWidth) values[(size_t)position * kvWidth + at] = Kv::rounded(r.v[(size_t)token * kvWidth + at]);
  }
}

#define ANY4_ROPE_STORE(name, kv)                                                                                        \
  extern "C" __global__ void __launch_bounds__(THREADS) rope_store_##name(const __grid_constant__ RopeStore r) { \
    ropeStore<kv>(r);                                                                                            \
  }
ANY4_ROPE_STORE(f32, KvF32)
ANY4_ROPE_STORE(bf16, KvBf16)
ANY4_ROPE_STORE(f16, KvF16)
