// Bulk copies of Hopper: one thread asks for up to a few KB to be brought into shared memory, where they are announced by a
// barrier that counts the bytes.
#pragma once
#include "common.cuh"

__device__ __forceinline__ uint32_t sharedAddress(const void* p) { return (uint32_t)__cvta_generic_to_shared(p); }

// A barrier that one thread arrives at. Its phase ends when that thread has arrived and every expected byte has.
__device__ __forceinline__ void initBarrier(uint64_t* barrier) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(sharedAddress(barrier)) : "memory");
}
// Shows the copy engine the barriers that this thread has initialized.
__device__ __forceinline__ void publishBarriers() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

__device__ __forceinline__ void arriveExpecting(uint64_t* barrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(barrier)), "r"(bytes) : "memory");
}

// Source, target and size are multiples of 16 bytes.
__device__ __forceinline__ void bulkCopy(void* target, const void* source, uint32_t bytes, uint64_t* barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(sharedAddress(target)),
      "l"(__cvta_generic_to_global(source)), "r"(bytes), "r"(sharedAddress(barrier))
      : "memory");
}

// Waits until the phase of that parity has ended: each reader waits for itself.
__device__ __forceinline__ void awaitPhase(uint64_t* barrier, uint32_t parity) {
  uint32_t done;
  do {
    asm volatile("{.reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p;}"
                 : "=r"(done)
                 : "r"(sharedAddress(barrier)), "r"(parity)
                 : "memory");
  } while (!done);
}
