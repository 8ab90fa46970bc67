/* The engine's vocabulary in plain C: RM_BLOCK lanes; fmaf rounds once, as every FMA instruction does.
 *
 * Out of line, since blocks inlined into an unrolled tile take seconds to compile.
 */
#include <math.h>
#include <string.h>

typedef struct blk {
    float lane[RM_BLOCK];
} blk;

#define RM_PLAIN static __attribute__((noinline, unused))
#define RM_EACH for (int k = 0; k < RM_BLOCK; k++)

RM_PLAIN blk blk_load(const float *a)
{
    blk v;
    RM_EACH v.lane[k] = a[k];
    return v;
}
RM_PLAIN void blk_store(float *a, blk v)
{
    RM_EACH a[k] = v.lane[k];
}
/* *a in every lane. */
RM_PLAIN blk blk_set(const float *a)
{
    blk v;
    RM_EACH v.lane[k] = *a;
    return v;
}
RM_PLAIN blk blk_zero(void)
{
    const float zero = 0;
    return blk_set(&zero);
}
RM_PLAIN blk blk_add(blk a, blk b)
{
    RM_EACH a.lane[k] += b.lane[k];
    return a;
}
RM_PLAIN blk blk_mul(blk a, blk b)
{
    RM_EACH a.lane[k] *= b.lane[k];
    return a;
}
RM_PLAIN blk blk_div(blk a, blk b)
{
    RM_EACH a.lane[k] /= b.lane[k];
    return a;
}
/* a where a > b (a < b), else b: of two zeros, and beside a NaN, it is b. */
RM_PLAIN blk blk_max(blk a, blk b)
{
    RM_EACH a.lane[k] = a.lane[k] > b.lane[k] ? a.lane[k] : b.lane[k];
    return a;
}
RM_PLAIN blk blk_min(blk a, blk b)
{
    RM_EACH a.lane[k] = a.lane[k] < b.lane[k] ? a.lane[k] : b.lane[k];
    return a;
}
/* sum + a * b, rounded once. */
RM_PLAIN void blk_mac(blk *sum, const blk *a, const blk *b)
{
    RM_EACH sum->lane[k] = fmaf(a->lane[k], b->lane[k], sum->lane[k]);
}
/* 2^n from n + 1.5 * 2^23, n from -126 to 128 (infinity): the low bits of that float are n. */
RM_PLAIN blk blk_pow2(blk shifted)
{
    RM_EACH {
        uint32_t bits;
        memcpy(&bits, &shifted.lane[k], sizeof bits);
        bits = (bits << 23) + (127u << 23);
        memcpy(&shifted.lane[k], &bits, sizeof bits);
    }
    return shifted;
}
#define RM_PIN(v) ((void)0)
