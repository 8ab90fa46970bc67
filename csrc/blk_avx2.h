/* The engine's vocabulary on AVX2 with FMA: a block is one vector of 8 channels. */
#define RM_BLOCK 8
#define RM_BLOCK_REGISTERS 16

typedef __m256 blk;

RM_INLINE blk blk_zero(void) { return _mm256_setzero_ps(); }
RM_INLINE blk blk_load(const float *a) { return _mm256_loadu_ps(a); }
RM_INLINE void blk_store(float *a, blk v) { _mm256_storeu_ps(a, v); }
/* *a in every lane. */
RM_INLINE blk blk_set(const float *a) { return _mm256_broadcast_ss(a); }
RM_INLINE blk blk_add(blk a, blk b) { return _mm256_add_ps(a, b); }
RM_INLINE blk blk_mul(blk a, blk b) { return _mm256_mul_ps(a, b); }
RM_INLINE blk blk_div(blk a, blk b) { return _mm256_div_ps(a, b); }
/* a where a > b (a < b), else b: of two zeros, and beside a NaN, it is b. */
RM_INLINE blk blk_max(blk a, blk b) { return _mm256_max_ps(a, b); }
RM_INLINE blk blk_min(blk a, blk b) { return _mm256_min_ps(a, b); }
/* sum + a * b, rounded once. */
RM_INLINE void blk_mac(blk *sum, const blk *a, const blk *b) { *sum = _mm256_fmadd_ps(*a, *b, *sum); }
/* 2^n from n + 1.5 * 2^23, n from -126 to 128 (infinity): the low bits of that float are n. */
RM_INLINE blk blk_pow2(blk shifted)
{
    const __m256i n = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(127 << 23)));
}
/* Keep a loaded vector in its register: else it is folded into every use, which then waits for the load ports. */
#define RM_PIN(v) __asm__("" : "+x"(v))
