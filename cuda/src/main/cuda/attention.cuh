// Causal grouped-query attention over a cache of keys and values, split over the cache's length.
//
// A block serves one token, up to HEADS query heads that share a key-value head, and one split of the positions. Splits
// have a fixed length, so that a token's result does not depend on how many others are computed with it.
// Eight lanes share a position; each 8-lane team keeps a running softmax over its positions, the teams of a warp are
// merged by shuffles, the warps through shared memory, the splits by a second kernel. All in a fixed order.
#pragma once
#include "kv.cuh"
#include "pack.cuh"

struct Attention {
  const float* q;        // [tokens][heads][headDim]
  const void* keys;      // [positions][kvHeads][headDim] of the cache's type
  const void* values;
  float* out;            // [tokens][heads][headDim], written here when there is one split
  float* partial;        // [tokens][heads][splits][headDim + 2]: sum, then maximum and weight of the split
  const int* position;   // of the first token
  int heads, kvHeads, headDim, window, splits;
  float scale;           // log2(e) / sqrt(headDim)
  int firstToken;        // added to blockIdx: long inputs come in pieces
  int pad;
};

constexpr float NONE = -1e30f;  // a maximum over no positions
constexpr int STEP = WARPS * 4; // positions a block takes at a time
constexpr int SPLIT = 128;      // positions per split

__device__ __forceinline__ int firstVisible(const Attention& a, int last) {
  return a.window ? max(0, last - a.window + 1) : 0;
}

template <class Kv, int QUADS, int HEADS>
struct AttentionBody {
  using Element = typename Kv::Element;
  float4 q[HEADS][QUADS], sum[HEADS][QUADS];
  float top[HEADS], weight[HEADS];

  // Four elements of a head, 0 past its end.
  template <class From>
  static __device__ __forceinline__ float4 load(const typename From::Element* row, int lane8, int i, int headDim) {
    int e = 4 * (lane8 + 8 * i);
    return e < headDim ? From::four(row + e) : make_float4(0.f, 0.f, 0.f, 0.f);
  }

  __device__ __forceinline__ void init(const Attention& a, int token, int head0, int headCount, int lane8) {
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
      top[h] = NONE;
      weight[h] = 0.f;
      int head = head0 + (h < headCount ? h : 0);
#pragma unroll
      for (int i = 0; i < QUADS; i++) {
        float4 v = load<KvF32>(a.q + ((size_t)token * a.heads + head) * a.headDim, lane8, i, a.headDim);
        q[h][i] = make_float4(v.x * a.scale, v.y * a.scale, v.z * a.scale, v.w * a.scale);
        sum[h][i] = make_float4(0.f, 0.f, 0.f, 0.f);
      }
    }
  }

  static __device__ __forceinline__ void blend(float4& s, float keep, float4 v, float p) {
    s.x = fmaf(v.x, p, s.x * keep);
    s.y = fmaf(v.y, p, s.y * keep);
    s.z = fmaf(v.z, p, s.z * keep);
    s.w = fmaf(v.w, p, s.w * keep);
  }

  __device__ __forceinline__ void see(const Element* key, const Element* value, bool valid, int headDim, int lane8) {
    float4 k[QUADS], v[QUADS];
#pragma unroll
    for (int i = 0; i < QUADS; i++) {
      k[i] = load<Kv>(key, lane8, i, headDim);
      v[i] = load<Kv>(value, lane8, i, headDim);
    }
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
      float s = 0.f;
#pragma unroll
      for (int i = 0; i < QUADS; i++)
        s = fmaf(q[h][i].x, k[i].x, fmaf(q[h][i].y, k[i].y, fmaf(q[h][i].z, k[i].z, fmaf(q[h][i].w, k[i].w, s))));
#pragma unroll
      for (int o = 1; o < 8; o <<= 1) s += __shfl_xor_sync(FULL, s, o);
      if (!valid) s = NONE;
      float highest = fmaxf(top[h], s), keep = exp2f(top[h] - highest), p = valid ? exp2f(s - highest) : 0.f;
      top[h] = highest;
      weight[h] = fmaf(weight[h], keep, p);
#pragma unroll
      for (int i = 0; i < QUADS; i++) blend(sum[h][i], keep, v[i], p);
    }
  }

  // Merges with the team that sits `distance` lanes away; both end with the merged state.
  __device__ __forceinline__ void mergeTeams(int distance) {
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
      float other = __shfl_xor_sync(FULL, top[h], distance), highest = fmaxf(top[h], other);
      float keep = exp2f(top[h] - highest);
      top[h] = highest;
      weight[h] *= keep;
      weight[h] += __shfl_xor_sync(FULL, weight[h], distance);
#pragma unroll
      for (int i = 0; i < QUADS; i++) {
        float4& s = sum[h][i];
        s = make_float4(s.x * keep, s.y * keep, s.z * keep, s.w * keep);
        s.x += __shfl_xor_sync(FULL, s.x, distance);
        s.y += __shfl_xor_sync(FULL, s.y, distance);
        s.z += __shfl_xor_sync(FULL, s.z, distance);
        s.w += __shfl_xor_sync(FULL, s.w, distance);
      }
    }
  }

  static __device__ __forceinline__ void finish(const Attention& a, int token, int head, int split, int h,
      float (*sums)[HEADS][QUADS * 32], float (*tops)[HEADS], float (*weights)[HEADS], int e) {
    float highest = NONE, total = 0.f, value = 0.f;
#pragma unroll
    for (int w = 0; w < WARPS; w++) highest = fmaxf(highest, tops[w][h]);
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      float f = exp2f(tops[w][h] - highest);
      total = fmaf(weights[w][h], f, total);
      value = fmaf(sums[w][h][e], f, value);
    }
    size_t row = (size_t)token * a.heads + head;
    if (a.splits == 1) {
      a.out[row * a.headDim + e] = value * (1.f / total);
      return;
    }
    float* p = a.partial + ((row - (size_t)a.firstToken * a.heads) * a.splits + split) * (a.headDim + 2);
    p[e] = value;
    if (e == 0) {
      p[a.headDim] = highest;
      p[a.headDim + 1] = total;
    }
  }

  // grid (splits, kvHeads * head chunks, tokens)
  static __device__ __forceinline__ void run(const Attention& a) {
    __shared__ float sums[WARPS][HEADS][QUADS * 32];
    __shared__ float tops[WARPS][HEADS], weights[WARPS][HEADS];
    letNextStart();
    awaitPrevious();
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, lane8 = lane & 7, token = a.firstToken + blockIdx.z;
    int shared = a.heads / a.kvHeads, chunks = (shared + HEADS - 1) / HEADS;
    int kvHead = blockIdx.y / chunks, chunk = blockIdx.y - kvHead * chunks;
    int head0 = kvHead * shared + chunk * HEADS, headCount = min(HEADS, shared - chunk * HEADS);
    int last = *a.position + token, from = firstVisible(a, last) + blockIdx.x * SPLIT, to = min(last + 1, from + SPLIT);
    if (from > last) return;

    AttentionBody s;
    s.init(a, token, head0, headCount, lane8);
    size_t width = (size_t)a.kvHeads * a.headDim, column = (size_t)kvHead * a.headDim;
    for (int base = from; base < to; base += STEP) {
      int p = base + warp * 4 + (lane >> 3);
      size_t at = (size_t)min(p, last) * width + column;
      s.see(static_cast<const Element*>(a.keys) + at, static_cast<const Element*>(a.values) + at, p < to, a.headDim, lane8);
    }
    s.mergeTeams(8);
    s.mergeTeams(16);
    if (lane < 8)
#pragma unroll
      for (int h = 0; h < HEADS; h++) {
        if (lane == 0) {
          tops[warp][h] = s.top[h];
          weights[warp][h] = s.weight[h];
        }
#pragma unroll
        for (int i = 0; i < QUADS; i++)
          *reinterpret_cast<float4*>(&sums[warp][h][4 * (lane + 8 * i)]) = s.sum[h][i];
      }
    __syncthreads();
    for (int o = threadIdx.x; o < headCount * a.headDim; o += THREADS) {
      int h = o / a.headDim;
      finish(a, token, head0 + h, blockIdx.x, h, sums, tops, weights, o - h * a.headDim);
    }
  }
};

#define ANY4_ATTENTION(name, kv, quads, heads)                                                                        \
  extern "C" __global__ void __launch_bounds__(THREADS) attention_##name##_d##quads##_h##heads(                        \
      const __grid_constant__ Attention a) {                                                                           \
    AttentionBody<kv, quads, heads>::run(a);                                                                           \
  }
#define ANY4_ATTENTIONS(name, kv) \
  ANY4_ATTENTION(name, kv, 1, 1)  \
  ANY4_ATTENTION(name, kv, 2, 1)  \
  ANY4_ATTENTION(name, kv, 4, 1)  \
  ANY4_ATTENTION(name, kv, 8, 1)  \
  ANY4_ATTENTION(name, kv, 1, 4)  \
  ANY4_ATTENTION(name, kv, 2, 4)  \
  ANY4_ATTENTION(name, kv, 4, 4)  \
  ANY4_ATTENTION(name, kv, 8, 2)
ANY4_ATTENTIONS(f32, KvF32)
ANY4_ATTENTIONS(bf16, KvBf16)
ANY4_ATTENTIONS(f16, KvF16)

// Four elements of a head from all its splits.
__device__ __forceinline__ float4 mergeFour(const Attention& a, int token, int column) {
  float4 v = make_float4(0.f, 0.f, 0.f, 0.f);
  if (column >= a.heads * a.headDim) return v;
  int head = column / a.headDim, stride = a.headDim + 2;
  const float* p = a.partial + ((size_t)(token - a.firstToken) * a.heads + head) * a.splits * stride;
  const float* mine = p + (column - head * a.headDim);
  int last = *a.position + token, splits = (last - firstVisible(a, last)) / SPLIT + 1;
  float highest = NONE, total = 0.f;
  for (int s = 0; s < splits; s++) highest = fmaxf(highest, p[(size_t)s * stride + a.headDim]);
  for (int s = 0; s < splits; s++) {
    float f = exp2f(p[(size_t)s * stride + a.headDim] - highest);
    total = fmaf(p[(size_t)s * stride + a.headDim + 1], f, total);
    const float* m = mine + (size_t)s * stride;
    v.x = fmaf(m[0], f, v.x);
    v.y = fmaf(m[1], f, v.y);
    v.z = fmaf(m[2], f, v.z);
    v.w = fmaf(m[3], f, v.w);
  }
  float r = 1.f / total;
  return make_float4(v.x * r, v.y * r, v.z * r, v.w * r);
}

// grid (chunks / WARPS rounded up, tokens); packs its result too where p.x is given
extern "C" __global__ void __launch_bounds__(THREADS) attention_merge(const __grid_constant__ Attention a,
    const __grid_constant__ Packed p) {
  letNextStart();
  awaitPrevious();
  int token = a.firstToken + blockIdx.y, lane = threadIdx.x & 31, chunk = blockIdx.x * WARPS + (threadIdx.x >> 5);
  int width = a.heads * a.headDim, columns = p.x && p.columns > width ? p.columns : width;
  if (chunk * CHUNK >= columns) return;
  int column = chunk * CHUNK + lane * 4;
  float4 first = mergeFour(a, token, column), second = mergeFour(a, token, column + 128);
  storeFour(a.out + (size_t)token * width, column, width, first);
  storeFour(a.out + (size_t)token * width, column + 128, width, second);
  if (p.x) packChunk(p, token, chunk, lane, first, second);
}
