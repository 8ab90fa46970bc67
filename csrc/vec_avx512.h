/* The vocabulary on AVX-512: 16 lanes, 32 registers. */
#define RM_LANES 16
#define RM_REGISTERS 32

typedef __m512 vec;

RM_INLINE vec vec_zero(void) { return _mm512_setzero_ps(); }
RM_INLINE vec vec_load(const float *a) { return _mm512_loadu_ps(a); }
RM_INLINE void vec_store(float *a, vec v) { _mm512_storeu_ps(a, v); }
RM_INLINE vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
/* sum + a * b, rounded once. */
RM_INLINE void vec_mac(vec *sum, const vec *a, const vec *b) { *sum = _mm512_fmadd_ps(*a, *b, *sum); }

/* The first `lanes` lanes, the rest 0; nothing beyond them is touched. */
RM_INLINE vec vec_load_tail(const float *a, int lanes)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << lanes) - 1), a);
}
RM_INLINE void vec_store_tail(float *a, vec v, int lanes)
{
    _mm512_mask_storeu_ps(a, (__mmask16)((1u << lanes) - 1), v);
}
