/* The engine's vocabulary on AVX-512: a block is one vector of 16 channels. */
#define RM_BLOCK 16
#define RM_BLOCK_REGISTERS 32

typedef __m512 blk;

RM_INLINE blk blk_zero(void) { return _mm512_setzero_ps(); }
RM_INLINE blk blk_load(const float *a) { return _mm512_loadu_ps(a); }
RM_INLINE void blk_store(float *a, blk v) { _mm512_storeu_ps(a, v); }
/* *a in every lane. */
RM_INLINE blk blk_set(const float *a) { return _mm512_set1_ps(*a); }
RM_INLINE blk blk_add(blk a, blk b) { return _mm512_add_ps(a, b); }
RM_INLINE blk blk_mul(blk a, blk b) { return _mm512_mul_ps(a, b); }
RM_INLINE blk blk_div(blk a, blk b) { return _mm512_div_ps(a, b); }
/* a where a > b (a < b), else b: of two zeros, and beside a NaN, it is b. */
RM_INLINE blk blk_max(blk a, blk b) { return _mm512_max_ps(a, b); }
RM_INLINE blk blk_min(blk a, blk b) { return _mm512_min_ps(a, b); }
/* sum + a * b, rounded once. */
RM_INLINE void blk_mac(blk *sum, const blk *a, const blk *b) { *sum = _mm512_fmadd_ps(*a, *b, *sum); }
/* 2^n from n + 1.5 * 2^23, n from -126 to 128 (infinity): the low bits of that float are n. */
RM_INLINE blk blk_pow2(blk shifted)
{
    const __m512i n = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(n, _mm512_set1_epi32(127 << 23)));
}
/* Keep a loaded vector in its register: else it is folded into every use, which then waits for the load ports. */
#define RM_PIN(v) __asm__("" : "+v"(v))
