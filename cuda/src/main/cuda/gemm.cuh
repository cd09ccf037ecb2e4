// y[token][row] = sum over k of w[row][k] * x[token][k]: weights are the A operand, so a tile is 16 rows by 8 tokens.
//
// A block owns 16 rows; its warps take turns over the groups of k, and their sums meet in shared memory in a fixed
// order. Weights stream from device memory straight into registers, STAGES groups ahead. Scale and zero are applied to
// the sum of a group, never to a weight: y += scale * sum(table[code] * x) + zero * sum(x).
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
  const uint16_t* x;     // [tokens][columns], activation type
  const float* sums;     // [groups][sumStride]: sum of a token's activations over the group
  int columns;           // a multiple of 64 and of the group size
  int tokens;
  int sumStride;         // tokens rounded up to a multiple of 8
  int pad;
};

template <class Format, int GROUP, int NT, int STAGES>
struct GemmBody {
  static constexpr int UNIT = !Format::SCALED ? 64 : GROUP < 64 ? 64 : GROUP;  // columns a warp takes at a time
  static constexpr int BLOCKS = UNIT / 64;
  static constexpr int PER_UNIT = UNIT / GROUP < 1 ? 1 : UNIT / GROUP;         // groups in a unit: 2 for groups of 32

  struct Stage {
    uint4 w[BLOCKS][Format::VECTORS];
    uint2 s[PER_UNIT];
  };

  static __device__ __forceinline__ void fetch(Stage& stage, const Part& p, int tile, int unit, int units, int lane) {
    const uint4* w = p.codes + ((size_t)tile * units + unit) * (BLOCKS * Format::VECTORS * 32) + lane;
#pragma unroll
    for (int b = 0; b < BLOCKS; b++)
#pragma unroll
      for (int v = 0; v < Format::VECTORS; v++) stage.w[b][v] = __ldcs(w + (b * Format::VECTORS + v) * 32);
    if constexpr (Format::SCALED) {
      const uint2* s = p.scales + ((size_t)tile * units + unit) * (PER_UNIT * 8) + (lane >> 2);
#pragma unroll
      for (int i = 0; i < PER_UNIT; i++) stage.s[i] = __ldcs(s + i * 8);
    }
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

  // Activations of 8 consecutive columns for this lane's token of each column tile; 0 beyond the last token.
  static __device__ __forceinline__ void activations(const Gemm& a, int token0, int column, uint4 (&x)[NT]) {
#pragma unroll
    for (int n = 0; n < NT; n++) {
      int token = token0 + n * 8;
      x[n] = token < a.tokens ? *reinterpret_cast<const uint4*>(a.x + (size_t)token * a.columns + column)
                              : make_uint4(0, 0, 0, 0);
    }
  }

  static __device__ __forceinline__ void consume(const Stage& stage, const Format& f, const Gemm& a, const Part& p,
      int unit, int firstToken, int lane, float (&c)[NT][4], float (&acc)[NT][4]) {
    int g = lane >> 2, t = lane & 3;
#pragma unroll
    for (int b = 0; b < BLOCKS; b++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        uint4 x[NT];
        activations(a, firstToken + g, unit * UNIT + b * 64 + h * 32 + t * 8, x);
        uint32_t even[4], odd[4];
        f.fragment(stage.w[b], 2 * h, even);
        f.fragment(stage.w[b], 2 * h + 1, odd);
#pragma unroll
        for (int n = 0; n < NT; n++) {
          mma(Format::SCALED ? c[n] : acc[n], even, x[n].x, x[n].y);
          mma(Format::SCALED ? c[n] : acc[n], odd, x[n].z, x[n].w);
        }
        if constexpr (Format::SCALED) {
          bool last = GROUP == 32 || (b == BLOCKS - 1 && h == 1);
          if (last) {
            int i = GROUP == 32 ? h : 0;
#pragma unroll
            for (int n = 0; n < NT; n++) {
              const float* sums = a.sums + (size_t)(unit * PER_UNIT + i) * a.sumStride + firstToken + n * 8 + t * 2;
              float2 sum = firstToken + n * 8 < a.tokens ? *reinterpret_cast<const float2*>(sums) : make_float2(0.f, 0.f);
              scale(acc[n], c[n], stage.s[i], p.offset, sum);
            }
          }
        }
      }
  }

  // Sums the warps' results in order and stores them, consecutive threads taking consecutive rows.
  static __device__ __forceinline__ void store(const Gemm& a, const Part& p, int tile, int firstToken, const float (&acc)[NT][4],
      float (*partial)[32][NT * 4 + 1], int warp, int lane) {
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
      for (int i = 0; i < 4; i++) partial[warp][lane][n * 4 + i] = acc[n][i];
    __syncthreads();
    for (int o = threadIdx.x; o < 16 * 8 * NT; o += THREADS) {
      int r = o & 15, token = firstToken + (o >> 4), row = tile * 16 + r, column = (o >> 4) & 7;
      int from = (r & 7) * 4 + (column >> 1), i = (o >> 7) * 4 + (r >> 3) * 2 + (column & 1);
      float sum = 0.f;
#pragma unroll
      for (int w = 0; w < WARPS; w++) sum += partial[w][from][i];
      if (row < p.rows && token < a.tokens) {
        if (p.factors) sum *= p.factors[row];
        if (p.bias) sum += p.bias[row];
        size_t at = (size_t)token * p.rows + row;
        p.y[at] = sum;
        if (p.residual) p.residual[at] += sum;
      }
    }
  }

  static __device__ __forceinline__ void run(const Gemm& a) {
    __shared__ float partial[WARPS][32][NT * 4 + 1];
    letNextStart();
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    int block = blockIdx.x, which = (block >= a.part[1].firstTile) + (block >= a.part[2].firstTile);
    const Part& p = a.part[which];
    int tile = block - p.firstTile, firstToken = blockIdx.y * (8 * NT), units = a.columns / UNIT;

    Stage stage[STAGES];
#pragma unroll
    for (int s = 0; s < STAGES; s++) {
      int unit = warp + s * WARPS;
      if (unit < units) fetch(stage[s], p, tile, unit, units, lane);
    }
    Format f;
    f.init(p.tables, p.tableStride, tile * 16 + (lane >> 2));
    awaitPrevious();

    float acc[NT][4] = {}, c[NT][4] = {};
    for (int first = warp; first < units; first += WARPS * STAGES)
#pragma unroll
      for (int s = 0; s < STAGES; s++) {
        int unit = first + s * WARPS;
        if (unit < units) {
          consume(stage[s], f, a, p, unit, firstToken, lane, c, acc);
          if (unit + WARPS * STAGES < units) fetch(stage[s], p, tile, unit + WARPS * STAGES, units, lane);
        }
      }
    store(a, p, tile, firstToken, acc, partial, warp, lane);
  }
};

#define ANY4_GEMM(name, format, group, nt, stages, blocks)                                                  \
  extern "C" __global__ void __launch_bounds__(THREADS, blocks) name##_g##group##_n##nt(const __grid_constant__ Gemm a) { \
    GemmBody<format, group, nt, stages>::run(a);                                                            \
  }
