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

// The decoded number, as the matrix product's decoding gives it (so `offset` means the same).
template <class Format>
__device__ __forceinline__ float element(const uint32_t* words, const uint16_t* table, const Place& p);

template <>
__device__ __forceinline__ float element<Lut4>(const uint32_t* words, const uint16_t* table, const Place& p) {
  uint32_t word = words[(p.tile * 32 + p.lane) * 4 + p.quad];
  return number(table[(word >> (16 * p.lower + 4 * p.i)) & 15]);
}
#ifdef ANY4_F16
constexpr float INT4_ADDS = 1024.f, INT8_ADDS = 1024.f;
#else
constexpr float INT4_ADDS = 128.f, INT8_ADDS = -128.f;
#endif
template <>
__device__ __forceinline__ float element<Int4>(const uint32_t* words, const uint16_t*, const Place& p) {
  uint32_t word = words[(p.tile * 32 + p.lane) * 4 + p.quad];
  int shift = 4 * (p.lower + 2 * (p.i >> 1)) + 16 * (p.i & 1);
  return (float)((word >> shift) & 15) + INT4_ADDS;
}
template <>
__device__ __forceinline__ float element<Int8>(const uint32_t* words, const uint16_t*, const Place& p) {
  uint32_t word = words[((p.tile * 2 + (p.quad >> 1)) * 32 + p.lane) * 4 + (p.quad & 1) * 2 + p.lower];
  return (float)((word >> (8 * p.i)) & 255) + INT8_ADDS;
}
template <>
__device__ __forceinline__ float element<Dense>(const uint32_t* words, const uint16_t*, const Place& p) {
  uint32_t word = words[((p.tile * 4 + p.quad) * 32 + p.lane) * 4 + p.lower + 2 * (p.i >> 1)];
  return number(p.i & 1 ? word >> 16 : word);
}

struct Embed {
  const uint32_t* codes;
  const uint16_t* tables;
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
  float value = element<Format>(e.codes, e.tables + (size_t)row * e.tableStride, Place(row, column, e.columns));
  if constexpr (Format::SCALED) {
    size_t group = (size_t)(row >> 4) * (e.columns / e.group) + column / e.group;
    float2 s = __half22float2(e.scales[(group * 8 + (row & 7)) * 2 + ((row >> 3) & 1)]);
    value = fmaf(value - e.offset, s.x, s.y);
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
