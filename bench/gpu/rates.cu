// The instruction rates that the kernels' design hangs on, in lane operations per clock and multiprocessor.
// nvcc -gencode=arch=compute_90,code=sm_90 -o rates rates.cu && ./rates
#include <cstdint>
#include <cstdio>

constexpr int LOOPS = 2048, CHAINS = 8;

template <int WHAT>
__global__ void __launch_bounds__(1024) work(uint32_t* out, long long* clocks, uint32_t seed) {
  __shared__ uint32_t shared[2048];
  for (int i = threadIdx.x; i < 2048; i += blockDim.x) shared[i] = (i * 37 + seed) & 1023;
  __syncthreads();
  uint32_t v[CHAINS];
  for (int i = 0; i < CHAINS; i++) v[i] = threadIdx.x * 7 + i + seed;
  long long begin = clock64();
#pragma unroll 1
  for (int n = 0; n < LOOPS; n++)
#pragma unroll
    for (int i = 0; i < CHAINS; i++) {
      if (WHAT == 0) asm volatile("prmt.b32 %0, %0, %1, %0;" : "+r"(v[i]) : "r"(seed));
      if (WHAT == 1) asm volatile("lop3.b32 %0, %0, %1, %1, 0x96;" : "+r"(v[i]) : "r"(seed));
      if (WHAT == 2) asm volatile("shf.r.wrap.b32 %0, %0, %1, 5;" : "+r"(v[i]) : "r"(seed));
      if (WHAT == 3) v[i] = shared[(v[i] & 992) | (threadIdx.x & 31)];
      if (WHAT == 4) v[i] = __shfl_sync(~0u, v[i], v[i] & 31);
      if (WHAT == 5) v[i] = v[i] * seed + n;
      if (WHAT == 6) v[i] = __float_as_uint(fmaf(__uint_as_float(v[i]), 1.5f, 2.f));
      if (WHAT == 7 && i % 4 == 0)
        asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0,%1,%2,%3},{%4,%4,%4,%4},{%4,%4},{%0,%1,%2,%3};"
                     : "+r"(v[i]), "+r"(v[i + 1]), "+r"(v[i + 2]), "+r"(v[i + 3])
                     : "r"(seed));
    }
  long long end = clock64();
  uint32_t sum = 0;
  for (int i = 0; i < CHAINS; i++) sum ^= v[i];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
  if (threadIdx.x == 0) clocks[blockIdx.x] = end - begin;
}

template <int WHAT>
void measure(const char* name, uint32_t* out, long long* clocks, double scale = 1) {
  work<WHAT><<<1, 1024>>>(out, clocks, 0x3210);
  work<WHAT><<<1, 1024>>>(out, clocks, 0x3210);
  long long host;
  cudaMemcpy(&host, clocks, 8, cudaMemcpyDeviceToHost);
  printf("%-28s %6.1f\n", name, 1024.0 * LOOPS * CHAINS / host * scale);
}

int main() {
  uint32_t* out;
  long long* clocks;
  if (cudaMalloc(&out, 1 << 20) || cudaMalloc(&clocks, 1 << 12)) {
    fprintf(stderr, "no GPU: %s\n", cudaGetErrorString(cudaGetLastError()));
    return 1;
  }
  measure<0>("byte permute", out, clocks);
  measure<1>("three-input logic", out, clocks);
  measure<2>("funnel shift", out, clocks);
  measure<3>("shared load (and, or)", out, clocks);
  measure<4>("shuffle (and)", out, clocks);
  measure<5>("integer multiply-add", out, clocks);
  measure<6>("float multiply-add", out, clocks);
  measure<7>("products 16 x 8 x 32 of bytes", out, clocks, 1. / 128);  // one of a warp for four registers of each lane
  return cudaGetLastError();
}
