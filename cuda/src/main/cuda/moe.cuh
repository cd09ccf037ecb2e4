// A mixture of experts for few tokens: which experts each token takes is found and used in device memory.
#pragma once
#include "choose.cuh"

constexpr int MOST_EXPERTS = 256;
constexpr int EXPERTS_PER_LANE = MOST_EXPERTS / 32;

struct Route {
  const float* scores;   // [tokens][experts]
  float2* choices;       // [tokens][perToken]: expert and share, experts ascending
  int tokens, experts, perToken, pad;
};

// A warp per token; grid (tokens / WARPS rounded up)
extern "C" __global__ void __launch_bounds__(THREADS) route(const __grid_constant__ Route r) {
  letNextStart();
  awaitPrevious();
  int lane = threadIdx.x & 31, token = blockIdx.x * WARPS + (threadIdx.x >> 5);
  if (token >= r.tokens) return;
  u64 scores[EXPERTS_PER_LANE];  // sortable score, then the expert from the end, so that the lower of equals wins
#pragma unroll
  for (int i = 0; i < EXPERTS_PER_LANE; i++) {
    int e = lane + 32 * i;
    scores[i] = e < r.experts ? (u64)sortable(r.scores[(size_t)token * r.experts + e]) << 32 | (NOT_A_NUMBER - (uint32_t)e) : 0;
  }
  float top = 0.f, sum = 0.f, share = 0.f;
  int expert = MOST_EXPERTS;
  for (int k = 0; k < r.perToken; k++) {
    u64 best = 0;
#pragma unroll
    for (int i = 0; i < EXPERTS_PER_LANE; i++) best = scores[i] > best ? scores[i] : best;
#pragma unroll
    for (int o = 16; o; o >>= 1) {
      u64 other = __shfl_xor_sync(FULL, best, o);
      best = other > best ? other : best;
    }
#pragma unroll
    for (int i = 0; i < EXPERTS_PER_LANE; i++) scores[i] = scores[i] == best ? 0 : scores[i];
    float score = unsorted(keyOf(best));
    if (k == 0) top = score;
    float w = exp2f((score - top) * 1.44269504f);
    sum += w;
    if (lane == k) {
      expert = (int)(NOT_A_NUMBER - (uint32_t)best);
      share = w;
    }
  }
  int place = 0;
  for (int k = 0; k < r.perToken; k++) place += __shfl_sync(FULL, expert, k) < expert;
  if (lane < r.perToken) r.choices[(size_t)token * r.perToken + place] = make_float2((float)expert, share / sum);
}

// out[token] += share * x[token, k] for each of its experts, in order; grid (width / THREADS rounded up, tokens)
extern "C" __global__ void __launch_bounds__(THREADS) combine(const float* x, const float2* choices, float* out, int width,
    int perToken) {
  letNextStart();
  awaitPrevious();
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (i >= width) return;
  size_t slot = (size_t)blockIdx.y * perToken, at = (size_t)blockIdx.y * width + i;
  float sum = out[at];
  for (int k = 0; k < perToken; k++) sum = fmaf(choices[slot + k].y, x[(slot + k) * width + i], sum);
  out[at] = sum;
}
