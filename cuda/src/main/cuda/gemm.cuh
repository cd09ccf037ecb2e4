// y[token][row] = sum over k of w[row][k] * x[token][k]: weights are the A operand, so a tile is 16 rows by 8 tokens.
//
// The order of summation is a function of the matrix's shape alone, so that a result is the same from run to run, on every
// chip, in every batch and whichever kernel computes it. The columns of a row tile are cut into parts of equal length; the
// eight warps of a block take an eighth of a part each and add up its groups in order; the warps' sums are added in order,
// and then the parts'. Scale and zero are applied to the sum of a group, never to a weight:
// y += scale * sum(table[code] * x) + zero * sum(x).
//
// Two kernels compute it: gemm_registers.cuh, and for Hopper and newer gemm_stream.cuh.
#pragma once
#include "formats.cuh"

struct Part {            // one of up to three matrices that read the same activations
  const uint4* codes;    // [tiles][columns / 64][VECTORS][32 lanes]
  const void* tables;    // [tiles * 16 or 1][16]
  const uint2* scales;   // [tiles][groups][8]: (scale, zero) in f16 of row g, then of row g + 8
  const float* factors;  // [rows] or null: what the scales of a row were divided by to fit f16
  const float* bias;     // [rows] or null
  float* y;              // [tokens][rows]
  float* residual;       // [tokens][rows] or null: y is added to it
  int rows;
  int tableStride;       // 16, or 0 for a table that all rows share
  float offset;          // what the format's decoding adds to a code
  int firstTile;
};

struct Gemm {
  Part part[3];
  const uint16_t* x;     // [columns / 32][sumStride tokens][32], activation type
  const float* sums;     // [groups][sumStride]: sums of a token's activations over groups
  int columns;           // a multiple of 64 and of the group size
  int tokens;
  int sumStride;         // tokens rounded up to whole tiles of NT times 8
  int parts;             // of k: as many as give a warp at most RUN units of each
  int partUnits;         // units of a part
  int longerParts;       // the first so many parts have one unit more
};

// The matrix that a row tile of the launch belongs to.
__device__ __forceinline__ const Part& partOf(const Gemm& a, int tile) {
  return a.part[(tile >= a.part[1].firstTile) + (tile >= a.part[2].firstTile)];
}

template <class Format, int GROUP, int NT>
struct Product {
  static constexpr int UNIT = !Format::SCALED ? 64 : GROUP < 64 ? 64 : GROUP;  // columns a warp takes at a time
  static constexpr int BLOCKS = UNIT / 64;
  static constexpr int PER_UNIT = UNIT / GROUP < 1 ? 1 : UNIT / GROUP;         // groups in a unit: 2 for groups of 32
  static constexpr int UNIT_VECTORS = BLOCKS * Format::VECTORS * 32;           // 16-byte vectors
  static constexpr int CODES = Format::SCALED && GROUP == 32 ? 2048 : 4096;    // most bytes of codes a warp takes of a part
  static constexpr int RUN = CODES / (UNIT_VECTORS * 16);                      // the same in units
  static constexpr int OUTPUTS = 16 * 8 * NT;                                  // of a tile

  struct Unit {
    uint4 w[BLOCKS][Format::VECTORS];
    uint2 s[PER_UNIT];
  };

  using Partial = float[32][NT * 4 + 1];  // a warp's sums; padded against bank conflicts

  // The units of a part that a warp takes: their number, and the first.
  static __device__ __forceinline__ int share(const Gemm& a, int part, int warp, int& first) {
    unsigned units = a.partUnits + (part < a.longerParts), skipped = warp * units / WARPS;
    first = part * a.partUnits + min(part, a.longerParts) + skipped;
    return (warp + 1) * units / WARPS - skipped;
  }

  static __device__ __forceinline__ void scale(float (&acc)[4], float (&c)[4], uint2 s, float offset, float2 sum) {
    float2 top = __half22float2(*reinterpret_cast<__half2*>(&s.x)), bottom = __half22float2(*reinterpret_cast<__half2*>(&s.y));
    float zeroTop = fmaf(-offset, top.x, top.y), zeroBottom = fmaf(-offset, bottom.x, bottom.y);
    acc[0] = fmaf(top.x, c[0], fmaf(zeroTop, sum.x, acc[0]));
    acc[1] = fmaf(top.x, c[1], fmaf(zeroTop, sum.y, acc[1]));
    acc[2] = fmaf(bottom.x, c[2], fmaf(zeroBottom, sum.x, acc[2]));
    acc[3] = fmaf(bottom.x, c[3], fmaf(zeroBottom, sum.y, acc[3]));
    c[0] = c[1] = c[2] = c[3] = 0.f;
  }

  // Where a lane finds its activations. Tokens past the last are read as they are in memory, where tiles of tokens are
  // whole, and their results dropped; but a few tokens alone shall not cost the traffic of eight.
  struct Lane {
    const char* x;      // of the lane's token and 8 of the columns 0..31
    const float* sums;  // of the lane's two tokens, group 0
    int stride;         // tokens from a group's sums to the next's
    bool live;
    __device__ __forceinline__ Lane(const Gemm& a, int firstToken, int lane)
        : x(reinterpret_cast<const char*>(a.x) + (size_t)(firstToken + (lane >> 2)) * 64 + (lane & 3) * 16),
          sums(a.sums + firstToken + (lane & 3) * 2),
          stride(a.sumStride),
          live(NT > 1 || lane >> 2 < a.tokens - firstToken) {}
  };

  // Adds the products of a unit to acc.
  static __device__ __forceinline__ void consume(const Unit& u, const Format& f, const Lane& lane, float offset, int unit,
      float (&acc)[NT][4]) {
    size_t step = (size_t)lane.stride * 64;  // bytes from 32 columns to the next: a pointer costs one addition a step
    const char* column = lane.x + (unsigned)(unit * (UNIT / 32)) * step;
    float c[NT][4] = {};
#pragma unroll
    for (int b = 0; b < BLOCKS; b++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        uint4 x[NT];  // 8 columns of a token of each column tile
#pragma unroll
        for (int n = 0; n < NT; n++)
          x[n] = lane.live ? *reinterpret_cast<const uint4*>(column + n * 512) : make_uint4(0, 0, 0, 0);
        column += step;
        uint32_t even[4], odd[4];
        f.fragment(u.w[b], 2 * h, even);
        f.fragment(u.w[b], 2 * h + 1, odd);
#pragma unroll
        for (int n = 0; n < NT; n++) {
          mma(Format::SCALED ? c[n] : acc[n], even, x[n].x, x[n].y);
          mma(Format::SCALED ? c[n] : acc[n], odd, x[n].z, x[n].w);
        }
        if constexpr (Format::SCALED) {
          bool last = GROUP == 32 || (b == BLOCKS - 1 && h == 1);
          if (last) {
            int i = GROUP == 32 ? h : 0;
            const float* sums = lane.sums + (unsigned)(unit * PER_UNIT + i) * (size_t)lane.stride;
#pragma unroll
            for (int n = 0; n < NT; n++)
              scale(acc[n], c[n], u.s[i], offset, *reinterpret_cast<const float2*>(sums + n * 8));
          }
        }
      }
  }

  // Leaves a warp's sums of a part for `output`.
  static __device__ __forceinline__ void leave(Partial& partial, int lane, const float (&acc)[NT][4]) {
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
      for (int i = 0; i < 4; i++) partial[lane][n * 4 + i] = acc[n][i];
  }

  // The sum of a part for output o of the tile: row o % 16, token o / 16.
  static __device__ __forceinline__ float output(const Partial (&partial)[WARPS], int o) {
    int r = o & 15, column = (o >> 4) & 7, from = (r & 7) * 4 + (column >> 1), i = (o >> 7) * 4 + (r >> 3) * 2 + (column & 1);
    float sum = 0.f;
#pragma unroll
    for (int w = 0; w < WARPS; w++) sum += partial[w][from][i];
    return sum;
  }

  // Adds a part to output o of a tile, whose earlier parts `total` holds, and stores the sum of all.
  template <class Store>
  static __device__ __forceinline__ void add(const Gemm& a, int part, int o, float (&total)[OUTPUTS], float sum,
      const Store& store) {
    if (part > 0) sum = total[o] + sum;
    if (part == a.parts - 1) store(o, sum);
    else total[o] = sum;
  }

  // Stores outputs of a tile; consecutive threads take consecutive rows.
  struct Store {
    const Gemm& a;
    const Part& p;
    int tile, firstToken;
    __device__ __forceinline__ void operator()(int o, float sum) const {
      int row = (tile - p.firstTile) * 16 + (o & 15), token = firstToken + (o >> 4);
      if (row >= p.rows || token >= a.tokens) return;
      if (p.factors) sum *= p.factors[row];
      if (p.bias) sum += p.bias[row];
      size_t at = (size_t)token * p.rows + row;
      p.y[at] = sum;
      if (p.residual) p.residual[at] += sum;
    }
  };
};
