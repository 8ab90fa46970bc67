/* What this processor can do at most: multiply-adds in registers, and reading memory.
 *
 * For the bench alone, which clocks these from outside: a figure is judged by the peak of
 * the same minute, since the clock of a processor moves.
 */
#include <stddef.h>
#include <string.h>

#include "isa.h"

#if RM_X86
#include <immintrin.h>

RM_REGION_BEGIN("avx2,fma")
#define PEAK_LANES 1
#define PEAK_VEC float
#define PEAK_SET(a) (a)
#define PEAK_LOAD(p) (*(p))
#define PEAK_ADD(a, b) ((a) + (b))
#define PEAK_FMA(s, a, b) __builtin_fmaf(a, b, s)
#define PEAK_PIN "x"
#include "peak.inc.h"

#define PEAK_LANES 4
#define PEAK_VEC __m128
#define PEAK_SET(a) _mm_set1_ps(a)
#define PEAK_LOAD(p) _mm_loadu_ps(p)
#define PEAK_ADD(a, b) _mm_add_ps(a, b)
#define PEAK_FMA(s, a, b) _mm_fmadd_ps(a, b, s)
#define PEAK_PIN "x"
#include "peak.inc.h"

#define PEAK_LANES 8
#define PEAK_VEC __m256
#define PEAK_SET(a) _mm256_set1_ps(a)
#define PEAK_LOAD(p) _mm256_loadu_ps(p)
#define PEAK_ADD(a, b) _mm256_add_ps(a, b)
#define PEAK_FMA(s, a, b) _mm256_fmadd_ps(a, b, s)
#define PEAK_PIN "x"
#include "peak.inc.h"
RM_REGION_END

RM_REGION_BEGIN("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#define PEAK_LANES 16
#define PEAK_VEC __m512
#define PEAK_SET(a) _mm512_set1_ps(a)
#define PEAK_LOAD(p) _mm512_loadu_ps(p)
#define PEAK_ADD(a, b) _mm512_add_ps(a, b)
#define PEAK_FMA(s, a, b) _mm512_fmadd_ps(a, b, s)
#define PEAK_PIN "v"
#include "peak.inc.h"
RM_REGION_END
#endif

#if RM_ARM64
#include <arm_neon.h>

#define PEAK_LANES 1
#define PEAK_VEC float
#define PEAK_SET(a) (a)
#define PEAK_LOAD(p) (*(p))
#define PEAK_ADD(a, b) ((a) + (b))
#define PEAK_FMA(s, a, b) __builtin_fmaf(a, b, s)
#define PEAK_PIN "w"
#include "peak.inc.h"

#define PEAK_LANES 4
#define PEAK_VEC float32x4_t
#define PEAK_SET(a) vdupq_n_f32(a)
#define PEAK_LOAD(p) vld1q_f32(p)
#define PEAK_ADD(a, b) vaddq_f32(a, b)
#define PEAK_FMA(s, a, b) vfmaq_f32(s, a, b)
#define PEAK_PIN "w"
#include "peak.inc.h"
#endif

static const struct {
    int lanes;
    const char *isa; /* whose presence says that it runs */
    void (*multiply_add)(int64_t rounds);
    void (*read)(const float *x, int64_t count, int64_t times);
} WIDTHS[] = {
#if RM_X86
    {1, "avx2", rm_peak_multiply_add_1, rm_peak_read_1},
    {4, "avx2", rm_peak_multiply_add_4, rm_peak_read_4},
    {8, "avx2", rm_peak_multiply_add_8, rm_peak_read_8},
    {16, "avx512", rm_peak_multiply_add_16, rm_peak_read_16},
#endif
#if RM_ARM64
    {1, "neon", rm_peak_multiply_add_1, rm_peak_read_1},
    {4, "neon", rm_peak_multiply_add_4, rm_peak_read_4},
#endif
    {0, NULL, NULL, NULL},
};

/* As dispatch.c has detected it. */
static int is_usable(const char *isa)
{
    const char *name;
    for (int k = 0; (name = rm_isa_name(k)) != NULL; k++)
        if (!strcmp(name, isa))
            return rm_isa_usable(k);
    return 0;
}

int rm_peak_lanes(int index)
{
    for (int k = 0; WIDTHS[k].lanes; k++)
        if (is_usable(WIDTHS[k].isa) && index-- == 0)
            return WIDTHS[k].lanes;
    return 0;
}

/* The place of a usable width, or -1. */
static int place_of(int lanes)
{
    for (int k = 0; WIDTHS[k].lanes; k++)
        if (WIDTHS[k].lanes == lanes && is_usable(WIDTHS[k].isa))
            return k;
    return -1;
}

int rm_peak_multiply_add(int lanes, int64_t rounds)
{
    const int k = place_of(lanes);
    if (k < 0 || rounds < 0)
        return k < 0 ? RM_NOT_USABLE : RM_SHAPE;
    WIDTHS[k].multiply_add(rounds);
    return RM_OK;
}

int rm_peak_read(int lanes, const float *x, int64_t count, int64_t times)
{
    const int k = place_of(lanes);
    if (k < 0 || count < 0 || count % 256 || times < 0)
        return k < 0 ? RM_NOT_USABLE : RM_SHAPE;
    if (!x)
        return RM_NULL;
    WIDTHS[k].read(x, count, times);
    return RM_OK;
}
