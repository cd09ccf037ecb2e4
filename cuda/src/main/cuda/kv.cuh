// The types that a cache can hold keys and values in: 32-bit floats, or 16-bit ones that are widened where they are read.
#pragma once
#include "common.cuh"

struct KvF32 {
  using Element = float;
  static __device__ __forceinline__ float4 four(const float* p) { return *reinterpret_cast<const float4*>(p); }
  static __device__ __forceinline__ float rounded(float v) { return v; }
};

struct KvBf16 {
  using Element = uint16_t;
  static __device__ __forceinline__ float4 four(const uint16_t* p) {
    uint2 v = *reinterpret_cast<const uint2*>(p);
    return make_float4(__uint_as_float(v.x << 16), __uint_as_float(v.x & 0xffff0000u), __uint_as_float(v.y << 16),
                       __uint_as_float(v.y & 0xffff0000u));
  }
  static __device__ __forceinline__ uint16_t rounded(float v) {
    __nv_bfloat162 two = __floats2bfloat162_rn(v, 0.f);
    return (uint16_t)*reinterpret_cast<uint32_t*>(&two);
  }
};

struct KvF16 {
  using Element = uint16_t;
  static __device__ __forceinline__ float4 four(const uint16_t* p) {
    uint2 v = *reinterpret_cast<const uint2*>(p);
    float2 low = __half22float2(*reinterpret_cast<__half2*>(&v.x)), high = __half22float2(*reinterpret_cast<__half2*>(&v.y));
    return make_float4(low.x, low.y, high.x, high.y);
  }
  // What is too large becomes the largest number: one such element must not turn every later token into NaN.
  static __device__ __forceinline__ uint16_t rounded(float v) {
    const float most = 65504.f;
    __half2 two = __floats2half2_rn(fabsf(v) > most ? copysignf(most, v) : v, 0.f);
    return (uint16_t)*reinterpret_cast<uint32_t*>(&two);
  }
};
