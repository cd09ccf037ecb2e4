// The product for Hopper and newer: blocks stay, and weights arrive in shared memory by bulk copies, DEPTH ahead.
//
// The work is a list of items, one per row tile and part of k, dealt out evenly to the blocks. Each warp has a ring of
// stages of its own: the copy of what it will need of an item, 4 KB of codes with their scales and, where the row tile
// changes, its tables. The lane that asks for copies is one of those that read them, so that a warp's own barrier is all
// that guards a stage against being overwritten.
//
// Where blocks share row tiles, the sums of a shared tile's pieces go to device memory; the block that arrives last adds them
// up, in their order. Nobody waits for another block.
#pragma once
#include "bulk.cuh"
#include "gemm.cuh"

struct Plan {
  float* partials;    // [tiles][pieces][outputs of a tile]; used for shared tiles
  unsigned* arrived;  // [tiles]: what is there of a shared tile, parts or pieces; zero between launches
  int tiles;          // row tiles of all matrices
  int shares;         // whether blocks share row tiles: then items are dealt out, otherwise tiles
};

// Tells that `more` of a shared tile is there, and whether all is now.
__device__ __forceinline__ bool arrive(const Plan& plan, int tile, unsigned more, unsigned all) {
  __threadfence();
  unsigned there = atomicAdd(plan.arrived + tile, more) + more;
  __threadfence();
  if (there != all) return false;
  atomicExch(plan.arrived + tile, 0u);
  return true;
}

// Output o of a shared tile.
template <int OUTPUTS>
__device__ __forceinline__ float sumOfPieces(const Gemm& a, const Plan& plan, int tile, int o) {
  int pieces = a.parts * a.halves;
  const float* partials = plan.partials + (size_t)tile * pieces * OUTPUTS + o;
  float sum = 0.f;
#pragma unroll 2
  for (int piece = 0; piece < pieces; piece++) sum += __ldcg(partials + (size_t)piece * OUTPUTS);
  return sum;
}

template <class Format, int GROUP, int NT>
struct StreamProduct : Product<Format, GROUP, NT> {
  using P = Product<Format, GROUP, NT>;
  static constexpr int DEPTH = 2;
  using P::CODES;
  static constexpr int SCALES = Format::CODED ? P::RUN * P::PER_UNIT * 64 : 0;
  static constexpr int STAGE = CODES + SCALES + Format::TABLE;  // bytes
  static constexpr int BUFFERS = NT == 1 ? 2 : 1;
  static constexpr int TOGETHER = NT == 1 ? P::HALVES : 1;  // halves whose sums are added at once

  // A block's items in order: the parts of a row tile, then those of the next.
  struct Walk {
    int tile, part;
    int left;  // items, this one included
    __device__ __forceinline__ void next(int parts) {
      left--;
      if (++part == parts) part = 0, tile++;
    }
  };

  struct Work {
    int begin, end;  // items
    Walk walk;
    __device__ __forceinline__ Work(const Gemm& a, const Plan& plan) {
      unsigned block = blockIdx.x, blocks = gridDim.x, pieces = plan.shares ? plan.tiles * a.parts : plan.tiles;
      begin = block * pieces / blocks, end = (block + 1) * pieces / blocks;
      if (!plan.shares) begin *= a.parts, end *= a.parts;
      walk.tile = begin / a.parts;
      walk.part = begin % a.parts;
      walk.left = end - begin;
    }
    __device__ __forceinline__ bool owns(int tile, int parts) const { return tile * parts >= begin && (tile + 1) * parts <= end; }
  };

  // Asks for what a warp needs of an item; one lane does.
  static __device__ __forceinline__ void request(uint8_t* stage, uint64_t* barrier, const Gemm& a, const Walk& item,
      int warp, bool table) {
    const Part& p = partOf(a, item.tile);
    int first, count = P::share(a, item.part, warp, first);
    size_t unit = (size_t)(item.tile - p.firstTile) * (a.columns / P::UNIT) + first;
    uint32_t codes = count * (P::UNIT_VECTORS * 16), scales = Format::CODED ? count * (P::PER_UNIT * 64) : 0;
    uint32_t tables = table ? Format::TABLE : 0;
    arriveExpecting(barrier, codes + scales + tables);
    if (count > 0) {
      bulkCopy(stage, p.codes + unit * P::UNIT_VECTORS, codes, barrier);
      if constexpr (Format::CODED) bulkCopy(stage + CODES, p.scales + unit * (P::PER_UNIT * 8), scales, barrier);
    }
    if constexpr (Format::TABLE > 0)
      if (table)
        bulkCopy(stage + CODES + SCALES, p.tables + (size_t)(item.tile - p.firstTile) * p.tableStride, tables, barrier);
  }

  // Tells of the parts that this block has left of its first and its last tile, and finishes the tiles of which every part
  // is there.
  static __device__ __forceinline__ void settle(const Gemm& a, const Plan& plan, const Work& work, int firstToken) {
    __shared__ int complete[2];
    __syncthreads();  // the partial sums of this block are written
    if (threadIdx.x < 2) {
      int tile = (threadIdx.x == 0 ? work.begin : work.end - 1) / a.parts;
      int from = max(work.begin, tile * a.parts), to = min(work.end, (tile + 1) * a.parts);
      bool tells = !work.owns(tile, a.parts) && (threadIdx.x == 0 || tile != work.begin / a.parts);
      complete[threadIdx.x] = tells && arrive(plan, tile, to - from, a.parts) ? tile : -1;
    }
    __syncthreads();
    for (int i = 0; i < 2; i++) {
      int tile = complete[i];
      if (tile < 0) continue;
      for (int o = threadIdx.x; o < P::OUTPUTS; o += THREADS) {
        typename P::Store{a, partOf(a, tile), tile, firstToken}(o, sumOfPieces<P::OUTPUTS>(a, plan, tile, o));
      }
    }
  }

  static __device__ __forceinline__ void run(const Gemm& a, const Plan& plan) {
    extern __shared__ __align__(128) uint8_t memory[];
    __shared__ uint64_t arrival[WARPS][DEPTH];
    __shared__ typename P::Partial partial[BUFFERS][TOGETHER][WARPS];
    __shared__ float total[P::OUTPUTS];
    letNextStart();
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, firstToken = blockIdx.y * P::TOKENS;
    Work work(a, plan);
    uint8_t* stages = memory + warp * (DEPTH * STAGE);

    if (lane == 0) {
      for (int s = 0; s < DEPTH; s++) initBarrier(&arrival[warp][s]);
      publishBarriers();
    }
    __syncwarp();
    Walk ahead = work.walk;
    for (int s = 0; s < DEPTH && ahead.left > 0; s++) {
      if (lane == 0) request(stages + s * STAGE, &arrival[warp][s], a, ahead, warp, s == 0 || ahead.part == 0);
      ahead.next(a.parts);
    }
    awaitPrevious();

    Format f;
    typename P::Lane at(a, firstToken, lane);
    int stage = 0, buffer = 0;
    uint32_t parity = 0;
    bool fresh = true;
    for (Walk item = work.walk; item.left > 0; item.next(a.parts)) {
      const Part& p = partOf(a, item.tile);
      uint8_t* here = stages + stage * STAGE;
      awaitPhase(&arrival[warp][stage], parity);
      if (fresh || item.part == 0) f.init(here + CODES + SCALES, lane >> 2);
      fresh = false;
      int first, count = P::share(a, item.part, warp, first);
      bool whole = !plan.shares || work.owns(item.tile, a.parts);
      for (int half = 0; half < a.halves; half += TOGETHER) {
#pragma unroll
        for (int h = 0; h < TOGETHER; h++) {
          float acc[NT][P::SUMS / NT] = {};
          int end = min(count, (half + h + 1) * P::HALF);
#pragma unroll(NT == 1 ? 2 : 1)
          for (int u = (half + h) * P::HALF; u < end; u++) {
            typename P::Unit unit;
            P::read(unit, here, here + CODES, u, lane);
            P::consume(unit, f, at, p.offset, first + u, acc);
          }
          if (BUFFERS == 1) __syncthreads();  // until the half before has been added
          P::leave(partial[buffer][h][warp], lane, acc);
        }
        if (half + TOGETHER >= a.halves) {
          __syncwarp();  // the stage has been read
          if (ahead.left > 0) {
            if (lane == 0) request(here, &arrival[warp][stage], a, ahead, warp, ahead.part == 0);
            ahead.next(a.parts);
          }
        }
        __syncthreads();
        for (int o = threadIdx.x; o < P::OUTPUTS; o += THREADS)
#pragma unroll
          for (int h = 0; h < TOGETHER; h++) {
            if (half + h >= a.halves) break;
            int piece = item.part * a.halves + half + h;
            float sum = P::output(partial[buffer][h], o);
            if (whole) P::add(a, piece, o, total, sum, typename P::Store{a, p, item.tile, firstToken});
            else __stcg(plan.partials + ((size_t)item.tile * a.parts * a.halves + piece) * P::OUTPUTS + o, sum);
          }
      }
      if (++stage == DEPTH) stage = 0, parity ^= 1;
      buffer ^= BUFFERS - 1;
    }
    if (plan.shares) settle(a, plan, work, firstToken);
  }
};

#define ANY4_STREAMED(name, format, group, tokens, blocks)                                              \
  extern "C" __global__ void __launch_bounds__(THREADS, blocks)                                     \
      name##_g##group##_n##tokens(const __grid_constant__ Gemm a, const __grid_constant__ Plan plan) { \
    StreamProduct<format, group, tokens / (format::CODED ? 4 : 8)>::run(a, plan);                   \
  }
