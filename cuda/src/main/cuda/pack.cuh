// Activations become tensor-core operands here. A warp takes a chunk of 256 columns; a lane holds columns 4 * lane + {0..3}
// and the same plus 128.
//
// For coded weights a group of a token's activations becomes 16-bit integers times a power of two that suits the largest,
// x = step * (256 * high + low), with the sum of the group beside it. The two bytes lie apart, as columns of their own in the
// product: in blocks of 64 columns, token by token, 64 bytes of high and 64 of low, in the order of formats.cuh. For
// unquantized weights activations are rounded to the activation type, in blocks of 32 columns, token by token. Either way
// what a warp of a product loads at once is 512 consecutive bytes. Columns are padded with zeros.
#pragma once
#include "common.cuh"

constexpr int CHUNK = 256;
constexpr int LARGEST = 32639;  // 127 * 256 + 127: the largest integer whose bytes are both signed

struct Packed {
  void* x;        // [columns / 64][stride tokens][2][64] bytes, or [columns / 32][stride][32] numbers; null: not wanted
  float2* sums;   // [columns / group][stride]: step and sum
  int columns;    // padded: a multiple of 64 and of the group
  int group;      // 32, 64 or 128, or 0 for the activation type
  int stride;     // tokens there is room for: see gemm.cuh
  int pad;
};

// Four floats of a row, zero past its end.
__device__ __forceinline__ float4 loadFour(const float* row, int column, int width) {
  if ((width & 3) == 0)
    return column < width ? *reinterpret_cast<const float4*>(row + column) : make_float4(0.f, 0.f, 0.f, 0.f);
  float4 v;
  v.x = column < width ? row[column] : 0.f;
  v.y = column + 1 < width ? row[column + 1] : 0.f;
  v.z = column + 2 < width ? row[column + 2] : 0.f;
  v.w = column + 3 < width ? row[column + 3] : 0.f;
  return v;
}

__device__ __forceinline__ void storeFour(float* row, int column, int width, float4 v) {
  if ((width & 3) == 0) {
    if (column < width) *reinterpret_cast<float4*>(row + column) = v;
    return;
  }
  if (column < width) row[column] = v.x;
  if (column + 1 < width) row[column + 1] = v.y;
  if (column + 2 < width) row[column + 2] = v.z;
  if (column + 3 < width) row[column + 3] = v.w;
}

__device__ __forceinline__ void packNumbers(const Packed& p, int token, int column, float4 v) {
  if (column >= p.columns) return;
  uint16_t* to = static_cast<uint16_t*>(p.x) + ((size_t)(column >> 5) * p.stride + token) * 32 + (column & 31);
  *reinterpret_cast<uint2*>(to) = make_uint2(pack2(v.x, v.y), pack2(v.z, v.w));
}

// Bits of the largest magnitude; those of what is no number are larger than all others.
__device__ __forceinline__ uint32_t largest(float4 v) {
  uint32_t a = max(__float_as_uint(fabsf(v.x)), __float_as_uint(fabsf(v.y)));
  return max(a, max(__float_as_uint(fabsf(v.z)), __float_as_uint(fabsf(v.w))));
}

// The smallest power of two by which no activation of a group exceeds LARGEST; infinite or no number where an activation is.
__device__ __forceinline__ float stepFor(uint32_t largest) {
  if (largest >= 0x7f800000u) return __uint_as_float(largest);
  return __uint_as_float((__float_as_uint(__uint_as_float(largest) * (1.f / LARGEST)) + 0x7fffffu) & 0x7f800000u);
}

// Stores a quad of columns as integers, and returns their sum.
__device__ __forceinline__ int packIntegers(const Packed& p, int token, int column, float4 v, float step) {
  if (column >= p.columns) return 0;
  float inverse = __uint_as_float((254u << 23) - __float_as_uint(step));
  int a = __float2int_rn(v.x * inverse), b = __float2int_rn(v.y * inverse);
  int c = __float2int_rn(v.z * inverse), d = __float2int_rn(v.w * inverse);
  // The low byte is signed: what it takes away the high byte gives.
  uint32_t high = permute(permute(a + 128, b + 128, 0x0051), permute(c + 128, d + 128, 0x0051), 0x5410);
  uint32_t low = permute(permute(a, b, 0x0040), permute(c, d, 0x0040), 0x5410);
  int quad = (column & 63) >> 2, word = (quad >> 1 & 3) * 4 + (quad >> 3) * 2 + (quad & 1);
  uint32_t* to = static_cast<uint32_t*>(p.x) + ((size_t)(column >> 6) * p.stride + token) * 32 + word;
  to[0] = high;
  to[16] = low;
  return a + b + c + d;
}

// The sums are of the rounded values: scale and zero terms of a group then cancel as they should.
__device__ __forceinline__ void packChunk(const Packed& p, int token, int chunk, int lane, float4 first, float4 second) {
  int column = chunk * CHUNK + lane * 4, lanes = p.group >> 2;
  if (lanes == 0) {
    packNumbers(p, token, column, first);
    packNumbers(p, token, column + 128, second);
    return;
  }
  uint32_t a = largest(first), b = largest(second);
  for (int o = 1; o < lanes; o <<= 1) {
    a = max(a, __shfl_xor_sync(FULL, a, o));
    b = max(b, __shfl_xor_sync(FULL, b, o));
  }
  float stepA = stepFor(a), stepB = stepFor(b);
  int sumA = packIntegers(p, token, column, first, stepA), sumB = packIntegers(p, token, column + 128, second, stepB);
  for (int o = 1; o < lanes; o <<= 1) {
    sumA += __shfl_xor_sync(FULL, sumA, o);
    sumB += __shfl_xor_sync(FULL, sumB, o);
  }
  if (lane & (lanes - 1)) return;
  if (column < p.columns) p.sums[(size_t)(column / p.group) * p.stride + token] = make_float2(stepA, stepA * sumA);
  column += 128;
  if (column < p.columns) p.sums[(size_t)(column / p.group) * p.stride + token] = make_float2(stepB, stepB * sumB);
}

// grid (chunks / WARPS rounded up, tokens)
extern "C" __global__ void __launch_bounds__(THREADS) pack(const float* x, int width, const __grid_constant__ Packed p) {
  letNextStart();
  awaitPrevious();
  int token = blockIdx.y, lane = threadIdx.x & 31, chunk = blockIdx.x * WARPS + (threadIdx.x >> 5);
  if (chunk * CHUNK >= p.columns) return;
  const float* row = x + (size_t)token * width;
  int column = chunk * CHUNK + lane * 4;
  packChunk(p, token, chunk, lane, loadFour(row, column, width), loadFour(row, column + 128, width));
}
