// The product for Hopper and newer: blocks stay, and weights arrive in shared memory by bulk copies, DEPTH ahead.
//
// The work is a list of items, one per row tile and part of k, dealt out evenly to the blocks. Each warp has a ring of
// stages of its own: the copy of what it will need of an item, 4 KB of codes with their scales and, where the row tile
// changes, its tables. The lane that asks for copies is one of those that read them, so that a warp's own barrier is all
// that guards a stage against being overwritten.
//
// Where blocks share row tiles, the sums of a shared tile's parts go to device memory; the block that arrives last adds them
// up, in their order. Nobody waits for another block.
#pragma once
#include "bulk.cuh"
#include "gemm.cuh"

struct Plan {
  float* partials;    // [tiles][parts][outputs of a tile]; used for shared tiles
  unsigned* arrived;  // [tiles]: parts of a shared tile that are there; zero between launches
  int tiles;          // row tiles of all matrices
  int shares;         // whether blocks share row tiles: then items are dealt out, otherwise tiles
};

template <class Format, int GROUP, int NT>
struct StreamProduct : Product<Format, GROUP, NT> {
  using P = Product<Format, GROUP, NT>;
  static constexpr int DEPTH = 2;
  using P::CODES;
  static constexpr int SCALES = Format::CODED ? P::RUN * P::PER_UNIT * 64 : 0;
  static constexpr int STAGE = CODES + SCALES + Format::TABLE;  // bytes
  static constexpr int BUFFERS = NT == 1 ? 2 : 1;

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

  static __device__ __forceinline__ void read(typename P::Unit& to, const uint8_t* stage, int u, int lane) {
    const uint4* w = reinterpret_cast<const uint4*>(stage) + u * P::UNIT_VECTORS + lane;
#pragma unroll
    for (int b = 0; b < P::BLOCKS; b++)
#pragma unroll
      for (int v = 0; v < Format::VECTORS; v++) to.w[b][v] = w[(b * Format::VECTORS + v) * 32];
    if constexpr (Format::CODED) {
      const uint2* s = reinterpret_cast<const uint2*>(stage + CODES) + u * (P::PER_UNIT * 8) + (lane >> 2);
#pragma unroll
      for (int i = 0; i < P::PER_UNIT; i++) to.s[i] = s[i * 8];
    }
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
      complete[threadIdx.x] = -1;
      if (tells) {
        __threadfence();
        unsigned there = atomicAdd(plan.arrived + tile, (unsigned)(to - from)) + (to - from);
        __threadfence();
        if (there == a.parts) {
          atomicExch(plan.arrived + tile, 0u);
          complete[threadIdx.x] = tile;
        }
      }
    }
    __syncthreads();
    for (int i = 0; i < 2; i++) {
      int tile = complete[i];
      if (tile < 0) continue;
      for (int o = threadIdx.x; o < P::OUTPUTS; o += THREADS) {
        const float* partials = plan.partials + (size_t)tile * a.parts * P::OUTPUTS + o;
        float sum = 0.f;
#pragma unroll 2
        for (int part = 0; part < a.parts; part++) sum += __ldcg(partials + part * P::OUTPUTS);
        typename P::Store{a, partOf(a, tile), tile, firstToken}(o, sum);
      }
    }
  }

  static __device__ __forceinline__ void run(const Gemm& a, const Plan& plan) {
    extern __shared__ __align__(128) uint8_t ring[];
    __shared__ uint64_t arrival[WARPS][DEPTH];
    __shared__ typename P::Partial partial[BUFFERS][WARPS];
    __shared__ float total[P::OUTPUTS];
    letNextStart();
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, firstToken = blockIdx.y * P::TOKENS;
    Work work(a, plan);
    uint8_t* stages = ring + warp * (DEPTH * STAGE);

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
      float acc[NT][P::SUMS / NT] = {};
#pragma unroll(NT == 1 ? 2 : 1)
      for (int u = 0; u < count; u++) {
        typename P::Unit unit;
        read(unit, here, u, lane);
        P::consume(unit, f, at, p.offset, first + u, acc);
      }
      __syncwarp();  // the stage has been read
      if (ahead.left > 0) {
        if (lane == 0) request(here, &arrival[warp][stage], a, ahead, warp, ahead.part == 0);
        ahead.next(a.parts);
      }
      if (++stage == DEPTH) stage = 0, parity ^= 1;

      if (BUFFERS == 1) __syncthreads();  // until the item before has been added
      P::leave(partial[buffer][warp], lane, acc);
      __syncthreads();
      bool whole = !plan.shares || work.owns(item.tile, a.parts);
      for (int o = threadIdx.x; o < P::OUTPUTS; o += THREADS) {
        float sum = P::output(partial[buffer], o);
        if (whole) P::add(a, item.part, o, total, sum, typename P::Store{a, p, item.tile, firstToken});
        else __stcg(plan.partials + ((size_t)item.tile * a.parts + item.part) * P::OUTPUTS + o, sum);
      }
      buffer ^= BUFFERS - 1;
    }
    if (plan.shares) settle(a, plan, work, firstToken);
  }
};

#define ANY4_GEMM(name, format, group, tokens, stages, blocks)                                      \
  extern "C" __global__ void __launch_bounds__(THREADS, blocks)                                     \
      name##_g##group##_n##tokens(const __grid_constant__ Gemm a, const __grid_constant__ Plan plan) { \
    StreamProduct<format, group, tokens / (format::CODED ? 4 : 8)>::run(a, plan);                   \
  }
