/* The vocabulary in plain C: 1 lane.  fmaf rounds once, as every FMA instruction does. */
#include <math.h>

#define RM_LANES 1
#define RM_REGISTERS 16

typedef float vec;

RM_INLINE vec vec_zero(void) { return 0.0f; }
RM_INLINE vec vec_load(const float *a) { return *a; }
RM_INLINE void vec_store(float *a, vec v) { *a = v; }
RM_INLINE vec vec_add(vec a, vec b) { return a + b; }
/* sum + a * b, rounded once. */
RM_INLINE void vec_mac(vec *sum, const vec *a, const vec *b) { *sum = fmaf(*a, *b, *sum); }

/* With one lane a tail is a whole vector. */
RM_INLINE vec vec_load_tail(const float *a, int lanes) { return lanes > 0 ? *a : 0.0f; }
RM_INLINE void vec_store_tail(float *a, vec v, int lanes)
{
    if (lanes > 0)
        *a = v;
}
