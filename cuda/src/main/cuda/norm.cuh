// Root-mean-square norm: one block per row.
#pragma once
#include "pack.cuh"

__device__ __forceinline__ float squares(float4 v, float sum) {
  return fmaf(v.x, v.x, fmaf(v.y, v.y, fmaf(v.z, v.z, fmaf(v.w, v.w, sum))));
}

__device__ __forceinline__ float4 scaled(float4 v, float4 gain, float f) {
  return make_float4(v.x * f * gain.x, v.y * f * gain.y, v.z * f * gain.z, v.w * f * gain.w);
}

// The sum of every thread's value, in an order that does not depend on timing.
__device__ __forceinline__ float blockSum(float v) {
  __shared__ float sums[WARPS];
  v = warpSum(v);
  if ((threadIdx.x & 31) == 0) sums[threadIdx.x >> 5] = v;
  __syncthreads();
  float total = 0.f;
#pragma unroll
  for (int w = 0; w < WARPS; w++) total += sums[w];
  return total;
}

// grid (rows); packs its result too where p.x is given
extern "C" __global__ void __launch_bounds__(THREADS) rms_norm(const float* x, const float* gain, float* out, int width,
    float epsilon, const __grid_constant__ Packed p) {
  letNextStart();
  awaitPrevious();
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const float* row = x + (size_t)blockIdx.x * width;
  float sum = 0.f;
  for (int column = warp * CHUNK + lane * 4; column < width; column += WARPS * CHUNK) {
    sum = squares(loadFour(row, column, width), sum);
    sum = squares(loadFour(row, column + 128, width), sum);
  }
  float factor = 1.f / sqrtf(blockSum(sum) / (float)width + epsilon);
  int columns = p.x && p.columns > width ? p.columns : width;
  for (int chunk = warp; chunk * CHUNK < columns; chunk += WARPS) {
    int column = chunk * CHUNK + lane * 4;
    float4 a = scaled(loadFour(row, column, width), loadFour(gain, column, width), factor);
    float4 b = scaled(loadFour(row, column + 128, width), loadFour(gain, column + 128, width), factor);
    storeFour(out + (size_t)blockIdx.x * width, column, width, a);
    storeFour(out + (size_t)blockIdx.x * width, column + 128, width, b);
    if (p.x) packChunk(p, blockIdx.x, chunk, lane, a, b);
  }
}
