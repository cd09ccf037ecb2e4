// What a layer does to its input before the product: randomized Hadamard rotation, rounding to a narrow float format.
//
// A rotation is a Kronecker product: of a small dense matrix, of Sylvester's matrix over the high bits of a run, and of
// Sylvester's over its low bits. The first kernel does the last, after the signs; the second both others at once.
#pragma once
#include "common.cuh"

constexpr int LOW = 2048;  // elements that a block mixes in shared memory

struct Signs {
  const float* x;         // [rows][width]
  const float* signs;     // [width]: random signs times 1 / sqrt(block)
  float* out;             // [rows][width]; may be x
  int width;
  int chunk;              // a power of two that divides the width, at most LOW
};

// grid (width / LOW rounded up, rows)
extern "C" __global__ void __launch_bounds__(THREADS) hadamard_low(const __grid_constant__ Signs h) {
  __shared__ float v[LOW];
  letNextStart();
  awaitPrevious();
  int first = blockIdx.x * LOW, count = min(LOW, h.width - first);
  size_t at = (size_t)blockIdx.y * h.width + first;
  for (int i = threadIdx.x; i < count; i += THREADS) v[i] = h.x[at + i] * h.signs[first + i];
  for (int half = 1; half < h.chunk; half *= 2) {
    __syncthreads();
    for (int pair = threadIdx.x; pair < count / 2; pair += THREADS) {
      int i = 2 * pair - (pair & (half - 1));
      float a = v[i], b = v[i + half];
      v[i] = a + b;
      v[i + half] = a - b;
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < count; i += THREADS) h.out[at + i] = v[i];
}

struct Mixture {
  const float* x;         // [rows][width]
  float* out;             // [rows][width]; not x
  const signed char* dense;  // [order][order]: 1 or -1
  int width;
  int order;              // of the dense matrix
  int high;               // chunks of a run
  int chunk;              // neighbours of a chunk do not mix
};

// grid (width / THREADS rounded up, rows)
extern "C" __global__ void __launch_bounds__(THREADS) hadamard_high(const __grid_constant__ Mixture h) {
  letNextStart();
  awaitPrevious();
  int e = blockIdx.x * THREADS + threadIdx.x;
  if (e >= h.width) return;
  int run = h.high * h.chunk, block = h.order * run, first = e / block * block;
  int a = (e - first) / run, c = (e - first - a * run) / h.chunk, i = (e - first) % h.chunk;
  const float* x = h.x + (size_t)blockIdx.y * h.width + first + i;
  float sum = 0.f;
  for (int b = 0; b < h.order; b++) {
    float part = 0.f;
    for (int d = 0; d < h.high; d++) {
      float v = x[b * run + d * h.chunk];
      part += __popc(c & d) & 1 ? -v : v;
    }
    sum += h.dense[a * h.order + b] < 0 ? -part : part;
  }
  h.out[(size_t)blockIdx.y * h.width + e] = sum;
}

struct Rounding {
  const float* x;         // [rows][width]
  const float* scales;    // [width]: what brings a channel onto the format's grid
  float* out;             // [rows][width]; may be x
  int width;
  int mantissaBits;
  float largest;          // number of the format
  int pad;
};

// The nearest number of the format, ties to even; beyond the largest one, that: FpFormat.round.
__device__ __forceinline__ float nearest(float x, float largest, int mantissaBits) {
  const float rounder = 12582912.f;  // 3 * 2^22: what it is added to has no fraction left
  float clamped = fmaxf(-largest, fminf(largest, x));
  int exponent = max((int)(__float_as_uint(clamped) >> 23 & 255) - 127, 1);
  float step = __uint_as_float((uint32_t)(exponent - mantissaBits + 127) << 23);
  return (clamped / step + rounder - rounder) * step;
}

// grid (width / THREADS rounded up, rows)
extern "C" __global__ void __launch_bounds__(THREADS) round_floats(const __grid_constant__ Rounding r) {
  letNextStart();
  awaitPrevious();
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (i >= r.width) return;
  size_t at = (size_t)blockIdx.y * r.width + i;
  float x = r.x[at], scale = r.scales[i];
  r.out[at] = x != x ? x : nearest(x * scale, r.largest, r.mantissaBits) / scale;
}
