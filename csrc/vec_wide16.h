/* The vocabulary of AVX-512 in plain C: 16 lanes, so that its shapes run on any processor.
 *
 * Out of line, since 16 lanes inlined into an unrolled tile take seconds to compile.
 */
#include <math.h>

#define RM_LANES 16
#define RM_REGISTERS 32

typedef struct vec {
    float lane[RM_LANES];
} vec;

#define RM_OUT_OF_LINE static __attribute__((noinline, unused))

RM_OUT_OF_LINE vec vec_load_tail(const float *a, int lanes)
{
    vec v = {{0}};
    for (int k = 0; k < lanes; k++)
        v.lane[k] = a[k];
    return v;
}

RM_OUT_OF_LINE void vec_store_tail(float *a, vec v, int lanes)
{
    for (int k = 0; k < lanes; k++)
        a[k] = v.lane[k];
}

RM_OUT_OF_LINE vec vec_add(vec a, vec b)
{
    for (int k = 0; k < RM_LANES; k++)
        a.lane[k] += b.lane[k];
    return a;
}

/* sum + a * b, rounded once. */
RM_OUT_OF_LINE void vec_mac(vec *sum, const vec *a, const vec *b)
{
    for (int k = 0; k < RM_LANES; k++)
        sum->lane[k] = fmaf(a->lane[k], b->lane[k], sum->lane[k]);
}

RM_OUT_OF_LINE vec vec_zero(void) { return vec_load_tail(0, 0); }
RM_OUT_OF_LINE vec vec_load(const float *a) { return vec_load_tail(a, RM_LANES); }
RM_OUT_OF_LINE void vec_store(float *a, vec v) { vec_store_tail(a, v, RM_LANES); }
