// Chooses a token from logits.
//
// Weights are whole numbers, 2^40 for the likeliest token, so that sums are exact in any order. Whatever follows the
// descending order of the logits (top-k, top-p, the draw from what they leave) is a search for the logit at which a
// count or a sum of weights passes a target: three histograms, over 11, 11 and 10 bits of the logit, narrow it down.
// A launch reads the histogram that the one before it has filled, and fills the next.
#pragma once
#include "common.cuh"

typedef unsigned long long u64;

constexpr int SLICE = 1024;                // logits per block
constexpr int BINS = 2048;                 // of a histogram
constexpr int BINS_PER_THREAD = BINS / THREADS;
constexpr float UNIT = 1099511627776.f;    // 2^40
constexpr uint32_t NOT_A_NUMBER = 0xffffffffu;
constexpr int COUNT = 0, FRACTION = 1, DRAW = 2;  // what a search is for: top-k, top-p, the token

struct Settings {        // numbers of the host
  float factor;          // log2(e) / temperature
  int topK;
  uint32_t fraction[2];  // top-p in units of 2^-64, low half first
  uint32_t seed[2];
};

struct Histogram {
  u64 mass[BINS];        // sum of weights
  uint32_t count[BINS];
};

struct Found {           // how far the searches have come
  u64 mass;              // of larger keys than those that begin with prefix
  u64 target;            // what the sum (or count) has to pass
  u64 limit;             // sum of the weights that the filters so far have left
  uint32_t count;        // of larger keys
  uint32_t prefix;       // leading bits of the key that is sought
  float top;             // the largest logit
  int pad;
};

struct Choose {
  const float* logits;   // [count]
  float* chosen;
  const Settings* settings;
  const int* draw;       // which random number
  u64* largest;          // [blocks]: key of the largest logit, then its index from the end
  u64* sums;             // [blocks]
  Found* found;          // one per launch that searches
  Histogram* histograms;
  int count;
  int blocks;            // of SLICE logits
  int step;              // reads found[step - 1], writes found[step]
  int from;              // histogram to search, or -1: 0 begins a search
  int ended;             // last histogram of the search before, or -1
  int into;              // histogram to fill, or -1
  int goal;              // COUNT, FRACTION or DRAW
  int endedGoal;
};

// Orders like the float; -0 equals 0, and what is not a number is largest.
__device__ __forceinline__ uint32_t sortable(float x) {
  if (x != x) return NOT_A_NUMBER;
  uint32_t bits = __float_as_uint(x == 0.f ? 0.f : x);
  return bits ^ ((int)bits < 0 ? 0xffffffffu : 0x80000000u);
}
__device__ __forceinline__ float unsorted(uint32_t key) {
  return __uint_as_float(key ^ ((int)key < 0 ? 0x80000000u : 0xffffffffu));
}

__device__ __forceinline__ u64 weight(float x, float top, float factor) {
  return __float2ull_rn(exp2f((x - top) * factor) * UNIT);
}

__device__ __forceinline__ u64 wide(const uint32_t (&halves)[2]) { return (u64)halves[1] << 32 | halves[0]; }

// SplitMix64: the random bits at a place of the seed's sequence.
__device__ __forceinline__ u64 randomBits(u64 seed, int index) {
  u64 z = seed + (u64)(index + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// The place of a draw in a sum of weights.
__device__ __forceinline__ u64 drawn(const Choose& c, u64 sum) {
  return __umul64hi(randomBits(wide(c.settings->seed), *c.draw) & ~2047ull, sum);
}

__device__ __forceinline__ u64 blockMax(u64 v) {
  __shared__ u64 tops[WARPS];
#pragma unroll
  for (int o = 16; o; o >>= 1) {
    u64 other = __shfl_xor_sync(FULL, v, o);
    v = other > v ? other : v;
  }
  if ((threadIdx.x & 31) == 0) tops[threadIdx.x >> 5] = v;
  __syncthreads();
  v = tops[0];
#pragma unroll
  for (int w = 1; w < WARPS; w++) v = tops[w] > v ? tops[w] : v;
  return v;
}

__device__ __forceinline__ u64 largestOfAll(const Choose& c) {
  u64 v = 0;
  for (int b = threadIdx.x; b < c.blocks; b += THREADS) v = c.largest[b] > v ? c.largest[b] : v;
  return blockMax(v);
}
__device__ __forceinline__ uint32_t keyOf(u64 largest) { return (uint32_t)(largest >> 32); }
// The token of the largest logit, or not a number if that is none.
__device__ __forceinline__ float likeliest(u64 largest) {
  return keyOf(largest) == NOT_A_NUMBER ? __uint_as_float(0x7fc00000u) : (float)(NOT_A_NUMBER - (uint32_t)largest);
}

// The sum over all threads before this one; `total` becomes that over all.
template <class T>
__device__ __forceinline__ T sumBefore(T mine, T& total) {
  __shared__ T sums[WARPS];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  T upTo = mine;
#pragma unroll
  for (int o = 1; o < 32; o <<= 1) {
    T other = __shfl_up_sync(FULL, upTo, o);
    if (lane >= o) upTo += other;
  }
  __syncthreads();  // an earlier sum has been read
  if (lane == 31) sums[warp] = upTo;
  __syncthreads();
  T before = upTo - mine;
  total = 0;
#pragma unroll
  for (int w = 0; w < WARPS; w++) {
    if (w < warp) before += sums[w];
    total += sums[w];
  }
  return before;
}

// Goes through a histogram from the largest key down, to the bin where the target is passed.
__device__ __forceinline__ Found cross(const Choose& c, const Histogram& h, Found f, int goal, int level) {
  __shared__ Found result;
  u64 mass = 0, totalMass;
  uint32_t count = 0, totalCount;
  int first = BINS - 1 - threadIdx.x * BINS_PER_THREAD;
#pragma unroll
  for (int i = 0; i < BINS_PER_THREAD; i++) {
    mass += h.mass[first - i];
    count += h.count[first - i];
  }
  u64 massBefore = sumBefore(mass, totalMass);
  uint32_t countBefore = sumBefore(count, totalCount);
  if (level == 0) {
    f.mass = 0;
    f.count = f.prefix = 0;
    if (c.ended < 0) f.limit = totalMass;
    f.target = goal == COUNT      ? (u64)(c.settings->topK - 1)
               : goal == FRACTION ? __umul64hi(wide(c.settings->fraction), f.limit)
                                  : drawn(c, f.limit);
  }
  f.mass += massBefore;
  f.count += countBefore;
  u64 at = goal == COUNT ? f.count : f.mass, mine = goal == COUNT ? count : mass;
  if (threadIdx.x == 0) result = f;  // stays where all weights are 0
  __syncthreads();
  if (at <= f.target && f.target < at + mine) {
    int bin = first;
    while (true) {
      u64 next = at + (goal == COUNT ? h.count[bin] : h.mass[bin]);
      if (f.target < next) break;
      at = next;
      f.mass += h.mass[bin];
      f.count += h.count[bin];
      bin--;
    }
    f.prefix = level == 0 ? bin : level == 1 ? f.prefix << 11 | bin : f.prefix << 10 | bin;
    result = f;
  }
  __syncthreads();
  return result;
}

// The search as far as histograms allow it.
__device__ __forceinline__ Found search(const Choose& c) {
  Found f = {};
  if (c.step == 0) {
    f.top = unsorted(keyOf(largestOfAll(c)));
    return f;
  }
  f = c.found[c.step - 1];
  if (c.ended >= 0) {
    f = cross(c, c.histograms[c.ended], f, c.endedGoal, 2);
    u64 each = weight(unsorted(f.prefix), f.top, c.settings->factor);
    u64 equals = c.endedGoal == COUNT ? (u64)(c.settings->topK - f.count) : each ? (f.target - f.mass) / each + 1 : 0;
    f.limit = f.mass + equals * each;
  }
  return cross(c, c.histograms[c.from], f, c.goal, c.from == 0 ? 0 : c.into > 0 ? 1 : 2);
}

// grid (blocks): the largest logit of each slice; empties the histograms
extern "C" __global__ void __launch_bounds__(THREADS) choose_begin(const __grid_constant__ Choose c) {
  letNextStart();
  awaitPrevious();
  u64 v = 0;
  for (int i = threadIdx.x; i < SLICE; i += THREADS) {
    int index = blockIdx.x * SLICE + i;
    if (index < c.count) {
      u64 other = (u64)sortable(c.logits[index]) << 32 | (NOT_A_NUMBER - (uint32_t)index);
      v = other > v ? other : v;
    }
  }
  v = blockMax(v);
  if (threadIdx.x == 0) c.largest[blockIdx.x] = v;
  u64* words = reinterpret_cast<u64*>(c.histograms);
  int length = c.into * (int)(sizeof(Histogram) / sizeof(u64));
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < length; i += c.blocks * THREADS) words[i] = 0;
}

// grid (1): the likeliest token
extern "C" __global__ void __launch_bounds__(THREADS) choose_largest(const __grid_constant__ Choose c) {
  letNextStart();
  awaitPrevious();
  u64 v = largestOfAll(c);
  if (threadIdx.x == 0) *c.chosen = likeliest(v);
}

// grid (blocks): searches one histogram and fills the next with the keys that are still possible
extern "C" __global__ void __launch_bounds__(THREADS) choose_histogram(const __grid_constant__ Choose c) {
  __shared__ Histogram own;
  letNextStart();
  for (int i = threadIdx.x; i < BINS; i += THREADS) {
    own.mass[i] = 0;
    own.count[i] = 0;
  }
  awaitPrevious();
  Found f = search(c);
  int level = c.step == 0 ? 0 : c.from == 0 ? 1 : 2;
  __syncthreads();
  for (int i = threadIdx.x; i < SLICE; i += THREADS) {
    int index = blockIdx.x * SLICE + i;
    if (index >= c.count) break;
    float x = c.logits[index];
    uint32_t key = sortable(x);
    if (level > 0 && key >> (level == 1 ? 21 : 10) != f.prefix) continue;
    int bin = level == 0 ? key >> 21 : level == 1 ? key >> 10 & 2047 : key & 1023;
    atomicAdd(&own.mass[bin], weight(x, f.top, c.settings->factor));
    atomicAdd(&own.count[bin], 1u);
  }
  __syncthreads();
  Histogram& all = c.histograms[c.into];
  for (int i = threadIdx.x; i < BINS; i += THREADS)
    if (own.count[i]) {
      atomicAdd(&all.mass[i], own.mass[i]);
      atomicAdd(&all.count[i], own.count[i]);
    }
  if (blockIdx.x == 0 && threadIdx.x == 0) c.found[c.step] = f;
}

// What a logit counts in the last step, which goes through the vocabulary in order: without filters its weight, else
// whether it is the one that was found, which several may equal.
__device__ __forceinline__ u64 share(const Choose& c, const Found& f, int index) {
  if (index >= c.count) return 0;
  float x = c.logits[index];
  return c.from < 0 ? weight(x, f.top, c.settings->factor) : sortable(x) == f.prefix;
}

// grid (blocks): the sum of the shares of each slice
extern "C" __global__ void __launch_bounds__(THREADS) choose_sums(const __grid_constant__ Choose c) {
  letNextStart();
  awaitPrevious();
  Found f = search(c);
  u64 mine = 0, total;
  for (int i = threadIdx.x; i < SLICE; i += THREADS) mine += share(c, f, blockIdx.x * SLICE + i);
  sumBefore(mine, total);
  if (threadIdx.x == 0) {
    c.sums[blockIdx.x] = total;
    if (blockIdx.x == 0) c.found[c.step] = f;
  }
}

// grid (1): the slice, then the token in it, at which the sum of shares passes the target
extern "C" __global__ void __launch_bounds__(THREADS) choose_token(const __grid_constant__ Choose c) {
  __shared__ int slice;
  __shared__ u64 rest;
  letNextStart();
  awaitPrevious();
  u64 largest = largestOfAll(c), mine = 0, total;
  Found f = c.found[c.step - 1];
  int blocks = (c.blocks + THREADS - 1) / THREADS, first = threadIdx.x * blocks, end = min(first + blocks, c.blocks);
  for (int b = first; b < end; b++) mine += c.sums[b];
  u64 at = sumBefore(mine, total), target;
  if (c.from < 0) {
    target = drawn(c, total);
  } else {
    u64 each = weight(unsorted(f.prefix), f.top, c.settings->factor);
    target = each ? (f.target - f.mass) / each : 0;
  }
  if (threadIdx.x == 0) slice = -1;
  __syncthreads();
  if (at <= target && target < at + mine) {
    int b = first;
    for (; target >= at + c.sums[b]; b++) at += c.sums[b];
    slice = b;
    rest = target - at;
  }
  __syncthreads();
  if (slice < 0 || keyOf(largest) == NOT_A_NUMBER) {  // infinite logits, or damaged ones
    if (threadIdx.x == 0) *c.chosen = likeliest(largest);
    return;
  }
  target = rest;
  first = slice * SLICE + threadIdx.x * (SLICE / THREADS);
  mine = 0;
  for (int i = 0; i < SLICE / THREADS; i++) mine += share(c, f, first + i);
  at = sumBefore(mine, total);
  if (at <= target && target < at + mine) {
    for (; target >= at + share(c, f, first); first++) at += share(c, f, first);
    *c.chosen = (float)first;
  }
}

// Counters go up in device memory, so that the next step finds its own: grid (count / THREADS rounded up)
extern "C" __global__ void __launch_bounds__(THREADS) advance(int* counters, int count, int by) {
  letNextStart();
  awaitPrevious();
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (i < count) counters[i] += by;
}
