// y[token][row] = sum over k of w[row][k] * x[token][k]: weights are the A operand, so a tile is 16 rows by 8 columns:
// 8 tokens, or for coded weights 4, whose activations have two bytes.
//
// The order of summation is a function of the matrix's shape alone, so that a result is the same from run to run, on every
// chip, in every batch and whichever kernel computes it. The columns of a row tile are cut into parts of equal length, of
// which eight warps take an eighth each. A warp adds up its groups in order, those of the first half of its columns and those
// of the second apart. A piece is one of these halves of all eight warps: their sums are added in order, and then the
// pieces'. Scale and zero are applied to the sum of a group, never to a weight:
// y += scale * sum(table[code] * x) + zero * sum(x). Of coded weights that sum is an integer, and exact.
//
// Three kernels compute it: gemm_registers.cuh, and for Hopper and newer gemm_stream.cuh and gemm_wide.cuh.
#pragma once
#include "formats.cuh"

struct Part {            // one of up to three matrices that read the same activations
  const uint4* codes;    // [tiles][columns / 64][VECTORS][32 lanes]
  const uint8_t* tables; // [tiles or 1][TABLE]
  const uint2* scales;   // [tiles][groups][8]: (scale, zero) in f16 of row g, then of row g + 8
  const float* factors;  // [rows] or null: what the scales of a row were divided by to fit f16
  const float* bias;     // [rows] or null
  float* y;              // [tokens][rows]
  float* residual;       // [tokens][rows] or null: y is added to it
  int rows;
  int tableStride;       // bytes from a row tile's tables to the next's; 0 where all rows share one
  float offset;          // what is to be added to a code of a format without tables
  int firstTile;
};

struct Gemm {
  Part part[3];
  const char* x;         // activations: see pack.cuh
  const float2* sums;    // [groups][stride]: step and sum of a token's activations of a group
  int columns;           // a multiple of 64 and of the group size
  int tokens;
  int stride;            // tokens rounded up to what a block takes
  int parts;             // of k: as many as give a warp at most RUN units of each
  int partUnits;         // units of a part
  int longerParts;       // the first so many parts have one unit more
  int halves;            // that a warp's units are cut into: 1 if the first would hold all
  int pad;
};

// The matrix that a row tile of the launch belongs to.
__device__ __forceinline__ const Part& partOf(const Gemm& a, int tile) {
  return a.part[(tile >= a.part[1].firstTile) + (tile >= a.part[2].firstTile)];
}

// NT column tiles are multiplied with the same decoded weights.
template <class Format, int GROUP, int NT>
struct Product {
  static constexpr int UNIT = !Format::CODED ? 64 : GROUP < 64 ? 64 : GROUP;  // columns a warp takes at a time
  static constexpr int BLOCKS = UNIT / 64;
  static constexpr int PER_UNIT = UNIT / GROUP < 1 ? 1 : UNIT / GROUP;        // groups in a unit: 2 for groups of 32
  static constexpr int UNIT_VECTORS = BLOCKS * Format::VECTORS * 32;          // 16-byte vectors
  static constexpr int CODES = Format::CODED && GROUP == 32 ? 2048 : 4096;    // most bytes of codes a warp takes of a part
  static constexpr int RUN = CODES / (UNIT_VECTORS * 16);                     // the same in units
  static constexpr int HALVES = Format::CODED ? 2 : 1;
  static constexpr int HALF = RUN / HALVES;                                   // most units of a half
  static constexpr int TOKENS = NT * (Format::CODED ? 4 : 8);                 // of a block
  static constexpr int OUTPUTS = 16 * TOKENS;                                 // of a tile
  static constexpr int SUMS = OUTPUTS / 32;                                   // of a lane

  struct Unit {
    uint4 w[BLOCKS][Format::VECTORS];
    uint2 s[PER_UNIT];
  };

  using Partial = float[32][SUMS + 1];  // a warp's sums; padded against bank conflicts

  // The units of a part that a warp takes: their number, and the first.
  static __device__ __forceinline__ int share(const Gemm& a, int part, int warp, int& first) {
    unsigned units = a.partUnits + (part < a.longerParts), skipped = warp * units / WARPS;
    first = part * a.partUnits + min(part, a.longerParts) + skipped;
    return (warp + 1) * units / WARPS - skipped;
  }

  // Where a lane finds its activations. Tokens past the last are read as they are in memory, where tiles of tokens are
  // whole, and their results dropped; but a few tokens alone shall not cost the traffic of a tile.
  struct Lane {
    const char* x;       // 16 bytes of the first columns; in device memory, or in shared memory
    const float2* sums;  // of the lane's token, group 0
    int stride;          // tokens
    bool live;
    __device__ __forceinline__ Lane(const Gemm& a, int firstToken, int lane)
        : x(a.x + (size_t)firstToken * (Format::CODED ? 128 : 64) + lane * 16),
          sums(a.sums + firstToken + (lane & 3)),
          stride(a.stride),
          live(NT > 1 || lane / (Format::CODED ? 8 : 4) < a.tokens - firstToken) {}
    // Those of a block's tokens, which lie together.
    __device__ __forceinline__ Lane(const void* x, const float2* sums, int lane)
        : x(static_cast<const char*>(x) + lane * 16), sums(sums + (lane & 3)), stride(TOKENS), live(true) {}
    __device__ __forceinline__ uint4 load(const char* column, int n) const {
      return live ? *reinterpret_cast<const uint4*>(column + n * 512) : make_uint4(0, 0, 0, 0);
    }
  };

  // The integers that a group's products add up to, in 256ths where weights have two planes. Columns 2t and 2t + 1 are the
  // high and the low byte of token t.
  static __device__ __forceinline__ int sum(const int (&c)[Format::PLANES][4], int r) {
    if constexpr (Format::PLANES == 1) return c[0][2 * r] * 256 + c[0][2 * r + 1];
    else return c[0][2 * r] * 128 + c[1][2 * r] + ((c[0][2 * r + 1] * 128 + c[1][2 * r + 1]) >> 8);
  }

  // Adds a group to the sums of rows g and g + 8.
  static __device__ __forceinline__ void addGroup(float (&acc)[NT][SUMS / NT], const int (&c)[NT][Format::PLANES][4],
      const Format& f, uint2 s, float offset, const float2* sums) {
    float2 top = f.effective(0, __half22float2(*reinterpret_cast<__half2*>(&s.x)), offset);
    float2 bottom = f.effective(1, __half22float2(*reinterpret_cast<__half2*>(&s.y)), offset);
#pragma unroll
    for (int n = 0; n < NT; n++) {
      float2 x = sums[n * 4];
      acc[n][0] = fmaf(top.x * x.x, (float)sum(c[n], 0), fmaf(top.y, x.y, acc[n][0]));
      acc[n][1] = fmaf(bottom.x * x.x, (float)sum(c[n], 1), fmaf(bottom.y, x.y, acc[n][1]));
    }
  }

  // Adds the products of a unit to acc.
  static __device__ __forceinline__ void consume(const Unit& u, const Format& f, const Lane& lane, float offset, int unit,
      float (&acc)[NT][SUMS / NT]) {
    size_t step = (size_t)lane.stride * (Format::CODED ? 128 : 64);  // bytes: a pointer costs one addition a step
    const char* column = lane.x + (unsigned)(unit * (Format::CODED ? BLOCKS : 2 * BLOCKS)) * step;
    if constexpr (!Format::CODED) {
#pragma unroll
      for (int h = 0; h < 2; h++, column += step)
#pragma unroll
        for (int n = 0; n < NT; n++) {
          uint4 x = lane.load(column, n);  // 8 columns of a token
          mma(acc[n], reinterpret_cast<const uint32_t(&)[4]>(u.w[0][2 * h]), x.x, x.y);
          mma(acc[n], reinterpret_cast<const uint32_t(&)[4]>(u.w[0][2 * h + 1]), x.z, x.w);
        }
    } else {
      constexpr bool SPLIT = NT <= 2;  // more column tiles leave tensor cores no time to add lookups up
      constexpr int TERMS = Format::template TERMS<SPLIT>, PLANES = Format::PLANES, AT_ONCE = GROUP == 32 ? 1 : 2;
      int c[NT][PLANES][4] = {};
#pragma unroll
      for (int b = 0; b < BLOCKS; b++, column += step)
#pragma unroll
        for (int first = 0; first < 2; first += AT_ONCE) {  // 32 columns, or 64 where they are of one group
          uint32_t a[AT_ONCE][TERMS][4];
#pragma unroll
          for (int m = 0; m < AT_ONCE; m++) f.template fragment<SPLIT>(u.w[b], first + m, a[m]);
#pragma unroll
          for (int n = 0; n < NT; n++) {
            uint4 x = lane.load(column, n);
#pragma unroll
            for (int m = 0; m < AT_ONCE; m++)
#pragma unroll
              for (int i = 0; i < TERMS; i++)
                mma(c[n][i * PLANES / TERMS], a[m][i], first + m ? x.z : x.x, first + m ? x.w : x.y);
          }
          if (GROUP == 32 || (b == BLOCKS - 1 && first + AT_ONCE == 2)) {
            int i = GROUP == 32 ? first : 0;
            addGroup(acc, c, f, u.s[i], offset, lane.sums + (unsigned)(unit * PER_UNIT + i) * (size_t)lane.stride);
            if (GROUP == 32) clear(c);
          }
        }
    }
  }

  static __device__ __forceinline__ void clear(int (&c)[NT][Format::PLANES][4]) {
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
      for (int p = 0; p < Format::PLANES; p++)
#pragma unroll
        for (int i = 0; i < 4; i++) c[n][p][i] = 0;
  }

  // Reads unit u of what lies in shared memory.
  static __device__ __forceinline__ void read(Unit& to, const uint8_t* codes, const uint8_t* scales, int u, int lane) {
    const uint4* w = reinterpret_cast<const uint4*>(codes) + u * UNIT_VECTORS + lane;
#pragma unroll
    for (int b = 0; b < BLOCKS; b++)
#pragma unroll
      for (int v = 0; v < Format::VECTORS; v++) to.w[b][v] = w[(b * Format::VECTORS + v) * 32];
    if constexpr (Format::CODED) {
      const uint2* s = reinterpret_cast<const uint2*>(scales) + u * (PER_UNIT * 8) + (lane >> 2);
#pragma unroll
      for (int i = 0; i < PER_UNIT; i++) to.s[i] = s[i * 8];
    }
  }

  // Leaves a warp's sums of a piece for `output`.
  static __device__ __forceinline__ void leave(Partial& partial, int lane, const float (&acc)[NT][SUMS / NT]) {
#pragma unroll
    for (int i = 0; i < SUMS; i++) partial[lane][i] = acc[i / (SUMS / NT)][i % (SUMS / NT)];
  }

  // The sum of a piece for output o of the tile: row o % 16, token o / 16.
  static __device__ __forceinline__ float output(const Partial* partial, int o) {
    int r = o & 15, token = o >> 4, from = (r & 7) * 4, i;
    if constexpr (Format::CODED) from += token & 3, i = (token >> 2) * 2 + (r >> 3);
    else from += (token & 7) >> 1, i = (token >> 3) * 4 + (r >> 3) * 2 + (token & 1);
    float sum = 0.f;
#pragma unroll
    for (int w = 0; w < WARPS; w++) sum += partial[w][from][i];
    return sum;
  }

  // Adds a piece to output o of a tile, whose earlier pieces `total` holds, and stores the sum of all.
  template <class Store>
  static __device__ __forceinline__ void add(const Gemm& a, int piece, int o, float (&total)[OUTPUTS], float sum,
      const Store& store) {
    if (piece > 0) sum = total[o] + sum;
    if (piece == a.parts * a.halves - 1) store(o, sum);
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
