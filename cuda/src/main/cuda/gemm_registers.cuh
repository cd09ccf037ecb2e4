// The product for chips without bulk copies: weights stream from device memory straight into registers, STAGES units ahead.
// A block owns 16 rows.
#pragma once
#include "gemm.cuh"

template <class Format, int GROUP, int NT, int STAGES>
struct RegisterProduct : Product<Format, GROUP, NT> {
  using P = Product<Format, GROUP, NT>;
  using Unit = typename P::Unit;

  static __device__ __forceinline__ void fetch(Unit& to, const Part& p, int tile, int unit, int units, int lane) {
    const uint4* w = p.codes + ((size_t)tile * units + unit) * P::UNIT_VECTORS + lane;
#pragma unroll
    for (int b = 0; b < P::BLOCKS; b++)
#pragma unroll
      for (int v = 0; v < Format::VECTORS; v++) to.w[b][v] = __ldcs(w + (b * Format::VECTORS + v) * 32);
    if constexpr (Format::CODED) {
      const uint2* s = p.scales + ((size_t)tile * units + unit) * (P::PER_UNIT * 8) + (lane >> 2);
#pragma unroll
      for (int i = 0; i < P::PER_UNIT; i++) to.s[i] = __ldcs(s + i * 8);
    }
  }

  // The product of a row tile; `store` takes the number and the sum of each output.
  template <class Store>
  static __device__ __forceinline__ void multiply(const Gemm& a, const Part& p, int tile, int firstToken, const Store& store) {
    __shared__ typename P::Partial partial[WARPS];
    __shared__ float total[P::OUTPUTS];
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    int units = a.columns / P::UNIT;

    constexpr int HELD = STAGES < P::HALF ? STAGES : P::HALF;
    Unit stage[HELD];
    int first, count = P::share(a, 0, warp, first);
#pragma unroll
    for (int s = 0; s < HELD; s++)
      if (s < count) fetch(stage[s], p, tile, first + s, units, lane);
    Format f;
    f.init(p.tables + (size_t)tile * p.tableStride, lane >> 2);
    typename P::Lane at(a, firstToken, lane);
    awaitPrevious();

    for (int part = 0; part < a.parts; part++) {
      int later, follow = part + 1 < a.parts ? P::share(a, part + 1, warp, later) : 0;
      for (int half = 0; half < a.halves; half++) {
        float acc[NT][P::SUMS / NT] = {};
#pragma unroll 1
        for (int begin = half * P::HALF; begin < (half + 1) * P::HALF; begin += HELD)
#pragma unroll
          for (int s = 0; s < HELD; s++) {
            int u = begin + s, next = u + HELD;
            if (u < count) P::consume(stage[s], f, at, p.offset, first + u, acc);
            if (next < count) fetch(stage[s], p, tile, first + next, units, lane);
            else if (next >= P::RUN && next - P::RUN < follow) fetch(stage[s], p, tile, later + next - P::RUN, units, lane);
          }
        int piece = part * a.halves + half;
        if (piece > 0) __syncthreads();  // until the piece before has been added
        P::leave(partial[warp], lane, acc);
        __syncthreads();
        for (int o = threadIdx.x; o < P::OUTPUTS; o += THREADS)
          P::add(a, piece, o, total, P::output(partial, o), store);
      }
      first = later, count = follow;
    }
  }

  static __device__ __forceinline__ void run(const Gemm& a) {
    letNextStart();
    int block = blockIdx.x, firstToken = blockIdx.y * P::TOKENS;
    const Part& p = partOf(a, block);
    multiply(a, p, block - p.firstTile, firstToken, typename P::Store{a, p, block, firstToken});
  }
};

#define ANY4_LOADED(name, format, group, tokens, stages, blocks)                                                           \
  extern "C" __global__ void __launch_bounds__(THREADS, blocks) name##_g##group##_n##tokens(const __grid_constant__ Gemm a) { \
    RegisterProduct<format, group, tokens / (format::CODED ? 4 : 8), stages>::run(a);                                    \
  }
