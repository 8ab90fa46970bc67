/* The vocabulary on AVX2 with FMA: 8 lanes, 16 registers. */
#define RM_LANES 8
#define RM_REGISTERS 16

typedef __m256 vec;

RM_INLINE vec vec_zero(void) { return _mm256_setzero_ps(); }
RM_INLINE vec vec_load(const float *a) { return _mm256_loadu_ps(a); }
RM_INLINE void vec_store(float *a, vec v) { _mm256_storeu_ps(a, v); }
RM_INLINE vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
/* sum + a * b, rounded once. */
RM_INLINE void vec_mac(vec *sum, const vec *a, const vec *b) { *sum = _mm256_fmadd_ps(*a, *b, *sum); }

/* All ones in the first `lanes` lanes. */
RM_INLINE __m256i vec_mask(int lanes)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* The first `lanes` lanes, the rest 0; nothing beyond them is touched. */
RM_INLINE vec vec_load_tail(const float *a, int lanes) { return _mm256_maskload_ps(a, vec_mask(lanes)); }
RM_INLINE void vec_store_tail(float *a, vec v, int lanes) { _mm256_maskstore_ps(a, vec_mask(lanes), v); }
