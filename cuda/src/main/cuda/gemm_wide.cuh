// The product of coded weights with 5 to 32 tokens, for Hopper and newer: activations stay in shared memory.
//
// A block takes one piece of k and some row tiles, TEAMS at a time, each with eight warps. What activations its piece meets
// come once, 16 columns of them weighing as much as a row tile's weights; codes arrive by bulk copies, DEPTH ahead, as in
// gemm_stream.cuh. The sums of a tile's pieces are in different blocks, so they go to device memory, and the block that
// arrives last adds them up, in their order.
#pragma once
#include "gemm_stream.cuh"

template <class Format, int GROUP, int NT, int TEAMS>
struct WideProduct : Product<Format, GROUP, NT> {
  using P = Product<Format, GROUP, NT>;
  static constexpr int DEPTH = 2;
  static constexpr int CODES = P::CODES / P::HALVES, SCALES = P::HALF * P::PER_UNIT * 64;
  static constexpr int STAGE = CODES + SCALES + Format::TABLE;             // bytes of a warp
  static constexpr int X = P::HALF * P::UNIT * 2 * P::TOKENS;              // bytes of activations that a warp meets
  static constexpr int SUMS = P::HALF * P::PER_UNIT * P::TOKENS * 8;       // and of their steps and sums
  static constexpr int ALL_THREADS = TEAMS * THREADS;

  // The units of the block's piece that a warp takes.
  struct Slice {
    int first, count;
    __device__ __forceinline__ Slice(const Gemm& a, int slice) {
      int half = blockIdx.y % a.halves;
      count = P::share(a, blockIdx.y / a.halves, slice, first);
      first += half * P::HALF;
      count = max(0, min(count - half * P::HALF, P::HALF));
    }
  };

  // Asks for what a warp needs of a row tile; one lane does.
  static __device__ __forceinline__ void request(uint8_t* stage, uint64_t* barrier, const Gemm& a, const Slice& slice, int tile) {
    const Part& p = partOf(a, tile);
    tile -= p.firstTile;
    size_t unit = (size_t)tile * (a.columns / P::UNIT) + slice.first;
    uint32_t codes = slice.count * (P::UNIT_VECTORS * 16), scales = slice.count * (P::PER_UNIT * 64);
    arriveExpecting(barrier, codes + scales + Format::TABLE);
    if (slice.count > 0) {
      bulkCopy(stage, p.codes + unit * P::UNIT_VECTORS, codes, barrier);
      bulkCopy(stage + CODES, p.scales + unit * (P::PER_UNIT * 8), scales, barrier);
    }
    if constexpr (Format::TABLE > 0)
      bulkCopy(stage + CODES + SCALES, p.tables + (size_t)tile * p.tableStride, Format::TABLE, barrier);
  }

  // Asks for the activations that the warps of a slice meet.
  static __device__ __forceinline__ void requestActivations(uint8_t* x, uint8_t* sums, uint64_t* barrier, const Gemm& a,
      const Slice& slice) {
    uint32_t bytes = slice.count * (P::UNIT * 2 * P::TOKENS), sumBytes = slice.count * (P::PER_UNIT * P::TOKENS * 8);
    arriveExpecting(barrier, bytes + sumBytes);
    if (slice.count == 0) return;
    bulkCopy(x, a.x + (size_t)slice.first * (P::UNIT * 2 * P::TOKENS), bytes, barrier);
    bulkCopy(sums, a.sums + (size_t)slice.first * (P::PER_UNIT * P::TOKENS), sumBytes, barrier);
  }

  // Tells of the pieces that this block has left of its tiles, and finishes the tiles of which every piece is there.
  static __device__ __forceinline__ void settle(const Gemm& a, const Plan& plan, int begin, int end) {
    __shared__ int complete[ALL_THREADS];
    for (; begin < end; begin += ALL_THREADS) {
      __syncthreads();  // the partial sums are written, and `complete` has been read
      int mine = begin + threadIdx.x, count = min(end - begin, ALL_THREADS);
      complete[threadIdx.x] = mine < end && arrive(plan, mine, 1, gridDim.y);
      __syncthreads();
      for (int i = 0; i < count; i++) {
        if (!complete[i]) continue;
        int tile = begin + i;
        for (int o = threadIdx.x; o < P::OUTPUTS; o += ALL_THREADS)
          typename P::Store{a, partOf(a, tile), tile, 0}(o, sumOfPieces<P::OUTPUTS>(a, plan, tile, o));
      }
    }
  }

  // grid (blocks, pieces)
  static __device__ __forceinline__ void run(const Gemm& a, const Plan& plan) {
    extern __shared__ __align__(128) uint8_t memory[];  // activations of the slices, their sums, stages of the warps
    __shared__ uint64_t arrival[TEAMS * WARPS][DEPTH], activations[WARPS];
    __shared__ typename P::Partial partial[2][TEAMS][WARPS];
    letNextStart();
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, team = warp / WARPS, index = warp % WARPS;
    int groups = (plan.tiles + TEAMS - 1) / TEAMS;  // of row tiles
    int begin = blockIdx.x * groups / gridDim.x, end = (blockIdx.x + 1) * groups / gridDim.x;
    Slice slice(a, index);
    uint8_t* x = memory + index * X;
    uint8_t* sums = memory + WARPS * X + index * SUMS;
    uint8_t* stages = memory + WARPS * (X + SUMS) + warp * (DEPTH * STAGE);

    if (lane == 0) {
      for (int s = 0; s < DEPTH; s++) initBarrier(&arrival[warp][s]);
      if (team == 0) initBarrier(&activations[index]);
      publishBarriers();
    }
    __syncthreads();
    for (int s = 0; s < DEPTH; s++) {
      int tile = (begin + s) * TEAMS + team;
      if (lane == 0 && begin + s < end && tile < plan.tiles) request(stages + s * STAGE, &arrival[warp][s], a, slice, tile);
    }
    awaitPrevious();
    if (team == 0 && lane == 0) requestActivations(x, sums, &activations[index], a, slice);

    Format f;
    typename P::Lane at(x, reinterpret_cast<const float2*>(sums), lane);
    int stage = 0, buffer = 0;
    uint32_t parity = 0;
    awaitPhase(&activations[index], 0);
    for (int group = begin; group < end; group++) {
      int tile = group * TEAMS + team;
      if (tile < plan.tiles) {
        uint8_t* here = stages + stage * STAGE;
        awaitPhase(&arrival[warp][stage], parity);
        f.init(here + CODES + SCALES, lane >> 2);
        float offset = partOf(a, tile).offset, acc[NT][P::SUMS / NT] = {};
#pragma unroll 1
        for (int u = 0; u < slice.count; u++) {
          typename P::Unit unit;
          P::read(unit, here, here + CODES, u, lane);
          P::consume(unit, f, at, offset, u, acc);
        }
        __syncwarp();  // the stage has been read
        int later = tile + DEPTH * TEAMS;
        if (lane == 0 && group + DEPTH < end && later < plan.tiles) request(here, &arrival[warp][stage], a, slice, later);
        P::leave(partial[buffer][team][index], lane, acc);
      }
      if (++stage == DEPTH) stage = 0, parity ^= 1;
      __syncthreads();
      for (int i = threadIdx.x; i < TEAMS * P::OUTPUTS; i += ALL_THREADS) {
        int which = i / P::OUTPUTS, o = i % P::OUTPUTS, tile = group * TEAMS + which;
        if (tile >= plan.tiles) break;
        float sum = P::output(partial[buffer][which], o);
        if (gridDim.y == 1) typename P::Store{a, partOf(a, tile), tile, 0}(o, sum);
        else __stcg(plan.partials + ((size_t)tile * gridDim.y + blockIdx.y) * P::OUTPUTS + o, sum);
      }
      buffer ^= 1;
    }
    if (gridDim.y > 1) settle(a, plan, begin * TEAMS, min(end * TEAMS, plan.tiles));
  }
};

#define ANY4_WIDE(name, format, group, tokens, teams)                                                  \
  extern "C" __global__ void __launch_bounds__(THREADS * teams, 1)                                      \
      name##_g##group##_n##tokens(const __grid_constant__ Gemm a, const __grid_constant__ Plan plan) { \
    WideProduct<format, group, tokens / 4, teams>::run(a, plan);                                        \
  }
