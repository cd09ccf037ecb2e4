// One row of a packed weight per token, dequantized.
#pragma once
#include "formats.cuh"

// Where element (row, column) lies: see formats.cuh.
struct Place {
  size_t tile;          // of 16 x 64
  int lane, quad, lower, i;  // lower: row g + 8; i: within the quad
  __device__ __forceinline__ Place(int row, int column, int columns) {
    tile = (size_t)(row >> 4) * (columns >> 6) + (column >> 6);
    lane = (row & 7) * 4 + ((column >> 3) & 3);
    quad = ((column >> 5) & 1) * 2 + ((column >> 2) & 1);
    lower = (row >> 3) & 1;
    i = column & 3;
  }
};

__device__ __forceinline__ float number(uint32_t bits) { return low(bits & 0xffff); }

// The number that a code stands for before scale and zero.
template <class Format>
__device__ __forceinline__ float element(const uint32_t* words, const uint8_t* table, const Place& p, float offset);

template <>
__device__ __forceinline__ float element<Lut4>(const uint32_t* words, const uint8_t* table, const Place& p, float) {
  uint32_t word = words[(p.tile * 32 + p.lane) * 4 + p.quad];
  int row = (p.lane >> 2) + 8 * p.lower, entry = row * 32 + ((word >> (16 * p.lower + 4 * p.i)) & 15);
  float2 grid = *reinterpret_cast<const float2*>(table + 512 + row * 8);
  return fmaf((float)(table[entry] * 128 + table[entry + 16]), grid.x, grid.y);
}
template <>
__device__ __forceinline__ float element<Int4>(const uint32_t* words, const uint8_t*, const Place& p, float offset) {
  uint32_t word = words[(p.tile * 32 + p.lane) * 4 + p.quad];
  return (float)((word >> (8 * p.i + 4 * p.lower)) & 15) + offset;
}
template <>
__device__ __forceinline__ float element<Int8>(const uint32_t* words, const uint8_t*, const Place& p, float offset) {
  uint32_t word = words[((p.tile * 2 + (p.quad >> 1)) * 32 + p.lane) * 4 + (p.quad & 1) * 2 + p.lower];
  return (float)((word >> (8 * p.i)) & 255) + offset;
}
template <>
__device__ __forceinline__ float element<Dense>(const uint32_t* words, const uint8_t*, const Place& p, float) {
  uint32_t word = words[((p.tile * 4 + p.quad) * 32 + p.lane) * 4 + p.lower + 2 * (p.i >> 1)];
  return number(p.i & 1 ? word >> 16 : word);
}

struct Embed {
  const uint32_t* codes;
  const uint8_t* tables;
  const __half2* scales;  // [tiles][groups][8][2]
  const float* factors;
  const int* ids;
  const float* chosen;    // the one id, where it was chosen; or null
  float* out;             // [tokens][width]
  int width, columns, group, tableStride;
  float offset;
  int pad;
};

// grid (width / THREADS rounded up, tokens)
template <class Format>
__device__ __forceinline__ void embedRow(const Embed& e) {
  letNextStart();
  awaitPrevious();
  int column = blockIdx.x * THREADS + threadIdx.x, row = e.chosen ? (int)*e.chosen : e.ids[blockIdx.y];
  if (column >= e.width) return;
  float value =
      element<Format>(e.codes, e.tables + (size_t)(row >> 4) * e.tableStride, Place(row, column, e.columns), e.offset);
  if constexpr (Format::CODED) {
    size_t group = (size_t)(row >> 4) * (e.columns / e.group) + column / e.group;
    float2 s = __half22float2(e.scales[(group * 8 + (row & 7)) * 2 + ((row >> 3) & 1)]);
    value = fmaf(value, s.x, s.y);
    if (e.factors) value *= e.factors[row];
  }
  e.out[(size_t)blockIdx.y * e.width + column] = value;
}

#define ANY4_EMBED(name, format)                                                                      \
  extern "C" __global__ void __launch_bounds__(THREADS) embed_##name(const __grid_constant__ Embed e) { \
    embedRow<format>(e);                                                                              \
  }
ANY4_EMBED(lut4, Lut4)
ANY4_EMBED(int4, Int4)
ANY4_EMBED(int8, Int8)
ANY4_EMBED(dense, Dense)
