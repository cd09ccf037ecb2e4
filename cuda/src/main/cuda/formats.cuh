// Weight formats: how one lane turns packed words into A fragments of tensor-core products.
//
// A unit of storage is a tile of 16 rows x 64 columns. Lane (g, t) = (lane / 4, lane % 4) holds rows g and g + 8. Its
// quad j (0..3) of either row is the columns 32 * (j / 2) + 8 * t + 4 * (j % 2) + {0, 1, 2, 3}; the product's k order is
// permuted so that what a lane needs of the activations is 16 consecutive bytes.
//
// Coded formats are multiplied as integers: a register holds four weights, so that decoding ends where codes are bytes. A
// weight is `planes` bytes, the first worth 128 of the second; activations are two bytes (pack.cuh). Sums of a group are
// exact.
#pragma once
#include "common.cuh"

// Codes of the lane's quad j.
__device__ __forceinline__ uint32_t quad(const uint4& w, int j) { return j == 0 ? w.x : j == 1 ? w.y : j == 2 ? w.z : w.w; }

// 4-bit codes that index a table of 16 numbers of 14 bits per row, kept in registers as two planes of 7 bits.
// Word j: low half the codes of row g, high half those of row g + 8.
//
// A byte permute looks four codes up in eight entries. Where a code's top bit is set it gives the sign of a byte instead,
// which is zero, as entries have 7 bits. So one permute gives the entries of codes below 8 and zeros, another, with the top
// bits turned over, those of the other codes and zeros: the two are added up, by whoever has time.
struct Lut4 {
  static constexpr int VECTORS = 1;  // 16-byte loads per lane and tile
  static constexpr bool CODED = true;
  static constexpr int PLANES = 2;
  static constexpr int TABLE = 16 * 40;  // bytes for a row tile: [16][planes][16], then [16] (step, offset)
  uint4 entries[2][PLANES];              // of rows g and g + 8
  float2 grid[2];                        // number = entry * step + offset

  __device__ __forceinline__ void init(const void* tables, int g) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      int row = g + 8 * r;
#pragma unroll
      for (int p = 0; p < PLANES; p++) entries[r][p] = static_cast<const uint4*>(tables)[row * PLANES + p];
      grid[r] = *reinterpret_cast<const float2*>(static_cast<const char*>(tables) + 512 + row * 8);
      grid[r].x *= 256.f;  // Coded::sum counts in 256ths
    }
  }
  // Fragments of columns 32 * m .. 32 * m + 31. Where tensor cores have time, they add the two lookups up (SPLIT);
  // term i belongs to plane i * PLANES / TERMS.
  template <bool SPLIT>
  static constexpr int TERMS = SPLIT ? 4 : 2;
  template <bool SPLIT>
  __device__ __forceinline__ void fragment(const uint4 (&w)[VECTORS], int m, uint32_t (&a)[TERMS<SPLIT>][4]) const {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      uint32_t lower = quad(w[0], 2 * m + h), upper = lower ^ 0x88888888u;
#pragma unroll
      for (int r = 0; r < 2; r++)
#pragma unroll
        for (int p = 0; p < PLANES; p++) {
          const uint4& e = entries[r][p];
          uint32_t first = permute(e.x, e.y, lower >> (16 * r)), second = permute(e.z, e.w, upper >> (16 * r));
          if constexpr (SPLIT) {
            a[2 * p][2 * h + r] = first;
            a[2 * p + 1][2 * h + r] = second;
          } else {
            a[p][2 * h + r] = first | second;
          }
        }
    }
  }
  // What a group's scale and zero become where entries stand for numbers.
  __device__ __forceinline__ float2 effective(int r, float2 s, float) const {
    return make_float2(s.x * grid[r].x, fmaf(s.x, grid[r].y, s.y));
  }
};

// 4-bit integers without a table. Word j: low nibbles the codes of row g, high nibbles those of row g + 8.
struct Int4 {
  static constexpr int VECTORS = 1;
  static constexpr bool CODED = true;
  static constexpr int PLANES = 1, TABLE = 0;
  __device__ __forceinline__ void init(const void*, int) {}
  template <bool>
  static constexpr int TERMS = 1;
  template <bool SPLIT>
  __device__ __forceinline__ void fragment(const uint4 (&w)[VECTORS], int m, uint32_t (&a)[1][4]) const {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      uint32_t code = quad(w[0], 2 * m + h);
      a[0][2 * h] = code & 0x0f0f0f0fu;
      a[0][2 * h + 1] = code >> 4 & 0x0f0f0f0fu;
    }
  }
  __device__ __forceinline__ float2 effective(int, float2 s, float offset) const { return make_float2(s.x, fmaf(s.x, offset, s.y)); }
};

// 8-bit integers 0..255, multiplied as they are; two words per quad: row g, row g + 8.
struct Int8 {
  static constexpr int VECTORS = 2;
  static constexpr bool CODED = true;
  static constexpr int PLANES = 1, TABLE = 0;
  __device__ __forceinline__ void init(const void*, int) {}
  template <bool>
  static constexpr int TERMS = 1;
  template <bool SPLIT>
  __device__ __forceinline__ void fragment(const uint4 (&w)[VECTORS], int m, uint32_t (&a)[1][4]) const {
    a[0][0] = w[m].x;
    a[0][1] = w[m].y;
    a[0][2] = w[m].z;
    a[0][3] = w[m].w;
  }
  __device__ __forceinline__ float2 effective(int, float2 s, float offset) const { return make_float2(s.x, fmaf(s.x, offset, s.y)); }
};

// Unquantized: fragments as they are, of the activation type. Vector j: quad j.
struct Dense {
  static constexpr int VECTORS = 4;
  static constexpr bool CODED = false;
  static constexpr int PLANES = 1, TABLE = 0;
  __device__ __forceinline__ void init(const void*, int) {}
};
