// Products for few tokens of a mixture of experts: which matrix a row of activations meets is read from device memory.
//
// A block takes a row tile of one expert and one column tile of activations, or two. It multiplies all of them, which costs
// little more than one, and keeps what rows that have chosen the expert are waiting for. Sums are in the order of every other product: gemm.cuh.
#pragma once
#include "gemm_registers.cuh"

struct Expert {           // an entry of the table; codes are null where the matrix needs another kernel
  const uint4* codes;
  const uint8_t* tables;
  const uint2* scales;
  const float* factors;
  int tableStride;
  float offset;
};

struct Experts {
  Gemm gemm;              // part[0] gives y, [tokens * perRow][rows], and rows
  const Expert* table;
  const float2* choices;  // [tokens][perRow]: expert and share
  int perRow;             // experts of a row of activations
  int pad;
};

// Where a block's sums go: to the rows that have chosen its expert.
struct StoreChosen {
  const Experts& e;
  const Part& p;
  int tile, firstToken;
  float expert;
  __device__ __forceinline__ void operator()(int o, float sum) const {
    int row = tile * 16 + (o & 15), token = firstToken + (o >> 4);
    if (row >= p.rows || token >= e.gemm.tokens) return;
    if (p.factors) sum *= p.factors[row];
    for (int slot = token * e.perRow; slot < (token + 1) * e.perRow; slot++)
      if (e.choices[slot].x == expert) p.y[(size_t)slot * p.rows + row] = sum;
  }
};

// grid (row tiles, choices of a block's rows, rows / TOKENS rounded up)
template <class Format, int GROUP, int NT, int STAGES>
__device__ __forceinline__ void multiplyExperts(const Experts& e) {
  using Block = RegisterProduct<Format, GROUP, NT, STAGES>;
  letNextStart();
  awaitPrevious();
  int firstToken = blockIdx.z * Block::TOKENS, first = firstToken * e.perRow, slot = first + blockIdx.y;
  if (slot >= e.gemm.tokens * e.perRow) return;
  float expert = e.choices[slot].x;
  for (int earlier = first; earlier < slot; earlier++)
    if (e.choices[earlier].x == expert) return;  // another block's
  Expert w = e.table[(int)expert];
  if (!w.codes) return;
  __builtin_assume(__isGlobal(w.tables) && __isGlobal(w.factors));
  const Part& out = e.gemm.part[0];
  Part p = {w.codes, w.tables, w.scales, w.factors, nullptr, out.y, nullptr, out.rows, w.tableStride, w.offset, 0};
  int tile = blockIdx.x;
  Block::multiply(e.gemm, p, tile, firstToken, StoreChosen{e, p, tile, firstToken, expert});
}

#define ANY4_EXPERTS(name, format, group, tokens, stages)                            \
  extern "C" __global__ void __launch_bounds__(THREADS, 2)                           \
      name##_g##group##_experts_n##tokens(const __grid_constant__ Experts e) {       \
    multiplyExperts<format, group, tokens / (format::CODED ? 4 : 8), stages>(e);     \
  }
