/* The vocabulary on NEON: 4 lanes, 32 registers. */
#include <arm_neon.h>

#define RM_LANES 4
#define RM_REGISTERS 32

typedef float32x4_t vec;

RM_INLINE vec vec_zero(void) { return vdupq_n_f32(0.0f); }
RM_INLINE vec vec_load(const float *a) { return vld1q_f32(a); }
RM_INLINE void vec_store(float *a, vec v) { vst1q_f32(a, v); }
RM_INLINE vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
/* sum + a * b, rounded once. */
RM_INLINE void vec_mac(vec *sum, const vec *a, const vec *b) { *sum = vfmaq_f32(*sum, *a, *b); }

/* The first `lanes` lanes, the rest 0; nothing beyond them is touched. */
RM_INLINE vec vec_load_tail(const float *a, int lanes)
{
    float part[RM_LANES] = {0};
    for (int k = 0; k < lanes; k++)
        part[k] = a[k];
    return vld1q_f32(part);
}
RM_INLINE void vec_store_tail(float *a, vec v, int lanes)
{
    float part[RM_LANES];
    vst1q_f32(part, v);
    for (int k = 0; k < lanes; k++)
        a[k] = part[k];
}
