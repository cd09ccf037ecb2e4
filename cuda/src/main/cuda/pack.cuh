// Activations become tensor-core operands here: rounded to the activation type, padded with zeros, with their sums per
// group. A warp takes a chunk of 256 columns; a lane holds columns 4 * lane + {0..3} and the same plus 128.
//
// Operands lie in blocks of 32 columns, token by token: what a warp of a product loads at once, 8 tokens by 32 columns, is
// 512 consecutive bytes.
#pragma once
#include "common.cuh"

constexpr int CHUNK = 256;

struct Packed {
  uint16_t* x;    // [columns / 32][sumStride tokens][32] or null: not wanted
  float* sums;    // [columns / group][sumStride]
  int columns;    // padded: a multiple of 64 and of the group
  int group;      // 32, 64, 128 or 256
  int sumStride;  // tokens there is room for: see gemm.cuh
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

__device__ __forceinline__ float packFour(const Packed& p, int token, int column, float4 v) {
  uint2 two = make_uint2(pack2(v.x, v.y), pack2(v.z, v.w));
  if (column < p.columns) *reinterpret_cast<uint2*>(p.x + ((size_t)(column >> 5) * p.sumStride + token) * 32 + (column & 31)) = two;
  return low(two.x) + high(two.x) + low(two.y) + high(two.y);
}

// The sums are of the rounded values: scale and zero terms of a group then cancel as they should.
__device__ __forceinline__ void packChunk(const Packed& p, int token, int chunk, int lane, float4 first, float4 second) {
  int column = chunk * CHUNK + lane * 4, lanes = p.group >> 2;
  float a = packFour(p, token, column, first), b = packFour(p, token, column + 128, second);
  for (int o = 1; o < 32 && o < lanes; o <<= 1) {
    a += __shfl_xor_sync(FULL, a, o);
    b += __shfl_xor_sync(FULL, b, o);
  }
  if (lanes > 32) a += b;
  if (lane & ((lanes < 32 ? lanes : 32) - 1)) return;
  if (column < p.columns) p.sums[(size_t)(column / p.group) * p.sumStride + token] = a;
  if (lanes <= 32 && column + 128 < p.columns) p.sums[(size_t)((column + 128) / p.group) * p.sumStride + token] = b;
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
