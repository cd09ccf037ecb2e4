// Weight formats: how one lane turns packed words into the A fragment of m16n8k16.
//
// A unit of storage is a tile of 16 rows x 64 columns. Lane (g, t) = (lane / 4, lane % 4) holds rows g and g + 8. Its
// quad j (0..3) of either row is the columns 32 * (j / 2) + 8 * t + 4 * (j % 2) + {0, 1, 2, 3}; the product's k order is
// permuted so that a lane's B operand for quads 2h and 2h + 1 is 8 consecutive activations.
#pragma once
#include "common.cuh"

// Byte permute with the selector as it is: the compiler's own form masks each half of a selector again.
__device__ __forceinline__ uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  uint32_t d;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(selector));
  return d;
}

// 4-bit codes that index a table of 16 entries per row, kept in registers as two byte planes.
// Word j: low half the codes of row g, high half those of row g + 8.
struct Lut4 {
  static constexpr int VECTORS = 1;  // 16-byte loads per lane and tile
  static constexpr bool SCALED = true, TABLE = true;
  uint32_t lo[2][4], hi[2][4];

  // Takes the tables of rows `row` and `row + 8`, which lie `stride` entries apart from row to row.
  __device__ __forceinline__ void init(const void* tables, int stride, int row) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      const uint4* p = reinterpret_cast<const uint4*>(static_cast<const uint16_t*>(tables) + (size_t)(row + 8 * r) * stride);
      uint4 a = p[0], b = p[1];
      uint32_t e[8] = {a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w};
#pragma unroll
      for (int i = 0; i < 4; i++) {
        lo[r][i] = __byte_perm(e[2 * i], e[2 * i + 1], 0x6420);
        hi[r][i] = __byte_perm(e[2 * i], e[2 * i + 1], 0x7531);
      }
    }
  }
  __device__ __forceinline__ void look(int r, uint32_t sel, uint32_t pick, uint32_t& v01, uint32_t& v23) const {
    uint32_t l = permute(permute(lo[r][0], lo[r][1], sel), permute(lo[r][2], lo[r][3], sel), pick);
    uint32_t h = permute(permute(hi[r][0], hi[r][1], sel), permute(hi[r][2], hi[r][3], sel), pick);
    v01 = permute(l, h, 0x5140);
    v23 = permute(l, h, 0x7362);
  }
  __device__ __forceinline__ void fragment(const uint4 (&w)[VECTORS], int j, uint32_t (&a)[4]) const {
    uint32_t code = j == 0 ? w[0].x : j == 1 ? w[0].y : j == 2 ? w[0].z : w[0].w;
    uint32_t sel = code & 0x77777777u, pick = ((code >> 1) & 0x44444444u) | 0x32103210u;
    look(0, sel, pick, a[0], a[2]);
    look(1, sel >> 16, pick >> 16, a[1], a[3]);
  }
};

// 4-bit integers without a table: the code becomes mantissa bits of a constant, which `bias` takes off again.
// Word j: nibble i of a byte lane holds pairs (row g: k0 k1), (row g + 8: k0 k1), (row g: k2 k3), (row g + 8: k2 k3),
// the first of a pair in the low half, the second in the high half.
struct Int4 {
  static constexpr int VECTORS = 1;
  static constexpr bool SCALED = true, TABLE = false;
  __device__ __forceinline__ void init(const void*, int, int) {}
  __device__ __forceinline__ void fragment(const uint4 (&w)[VECTORS], int j, uint32_t (&a)[4]) const {
    uint32_t code = j == 0 ? w[0].x : j == 1 ? w[0].y : j == 2 ? w[0].z : w[0].w;
#ifdef ANY4_F16
    constexpr uint32_t magic = 0x64006400u;  // 1024 + code
#else
    constexpr uint32_t magic = 0x43004300u;  // 128 + code
#endif
#pragma unroll
    for (int i = 0; i < 4; i++) a[i] = ((code >> (4 * i)) & 0x000f000fu) | magic;
  }
};

// 8-bit integers 0..255; two words per quad: row g, row g + 8.
struct Int8 {
  static constexpr int VECTORS = 2;
  static constexpr bool SCALED = true, TABLE = false;
  __device__ __forceinline__ void init(const void*, int, int) {}
#ifdef ANY4_F16
  static __device__ __forceinline__ void widen(uint32_t w, uint32_t& v01, uint32_t& v23) {  // 1024 + code
    v01 = __byte_perm(w, 0x64646464u, 0x4140);
    v23 = __byte_perm(w, 0x64646464u, 0x4342);
  }
#else
  static __device__ __forceinline__ float number(uint32_t w, uint32_t selector) {  // code - 128, exact in bf16
    return __uint_as_float(__byte_perm(w, 0x4b000000u, selector)) - 8388736.f;
  }
  static __device__ __forceinline__ uint32_t upper(float a, float b) {
    return __byte_perm(__float_as_uint(a), __float_as_uint(b), 0x7632);
  }
  static __device__ __forceinline__ void widen(uint32_t w, uint32_t& v01, uint32_t& v23) {
    v01 = upper(number(w, 0x7440), number(w, 0x7441));
    v23 = upper(number(w, 0x7442), number(w, 0x7443));
  }
#endif
  __device__ __forceinline__ void fragment(const uint4 (&w)[VECTORS], int j, uint32_t (&a)[4]) const {
    const uint4& v = w[j >> 1];
    widen(j & 1 ? v.z : v.x, a[0], a[2]);
    widen(j & 1 ? v.w : v.y, a[1], a[3]);
  }
};

// Unquantized: fragments as they are.
struct Dense {
  static constexpr int VECTORS = 4;
  static constexpr bool SCALED = false, TABLE = false;
  __device__ __forceinline__ void init(const void*, int, int) {}
  __device__ __forceinline__ void fragment(const uint4 (&w)[VECTORS], int j, uint32_t (&a)[4]) const {
    a[0] = w[j].x;
    a[1] = w[j].y;
    a[2] = w[j].z;
    a[3] = w[j].w;
  }
};
