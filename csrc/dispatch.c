/* The one place that detects, selects and calls an instruction set.
 *
 * TABLE holds the copies of this build, best first.  Public functions check their
 * arguments here, once; the copies trust them.
 */
#include <stddef.h>
#include <string.h>

#include "engine.h"

static int always(void) { return 1; }

#if RM_X86
/* __builtin_cpu_supports asks XGETBV too: it is 0 where the system does not save the registers. */
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
#endif

static const struct {
    const rm_kernels *kernels;
    const rm_engine *engine;
    int (*usable)(void);
} TABLE[] = {
#if RM_X86
    {&rm_kernels__avx512, &rm_engine__avx512, has_avx512},
    {&rm_kernels__avx2, &rm_engine__avx2, has_avx2},
#endif
#if RM_ARM64
    {&rm_kernels__neon, &rm_engine__neon, always},
#endif
    {&rm_kernels__scalar, &rm_engine__scalar, always},
    {&rm_kernels__wide16, &rm_engine__wide16, always}, /* last: it is there for tests */
};

enum { COUNT = sizeof TABLE / sizeof *TABLE };

/* The copy in use; NULL until the first call.  One pointer, read and written whole. */
static const rm_kernels *selected;

static const rm_kernels *in_use(void)
{
    const rm_kernels *kernels = __atomic_load_n(&selected, __ATOMIC_ACQUIRE);
    for (int k = 0; !kernels && k < COUNT; k++)
        if (TABLE[k].usable())
            kernels = TABLE[k].kernels;
    __atomic_store_n(&selected, kernels, __ATOMIC_RELEASE);
    return kernels;
}

const char *rm_isa_name(int index) { return index >= 0 && index < COUNT ? TABLE[index].kernels->name : NULL; }

int rm_isa_usable(int index) { return index >= 0 && index < COUNT && TABLE[index].usable(); }

const rm_engine *rm_engine_of(int64_t isa)
{
    return isa >= 0 && isa < COUNT && TABLE[isa].usable() ? TABLE[isa].engine : NULL;
}

const char *rm_isa(void) { return in_use()->name; }

int rm_select_isa(const char *name)
{
    if (!name)
        return RM_NULL;
    for (int k = 0; k < COUNT; k++) {
        if (strcmp(TABLE[k].kernels->name, name))
            continue;
        if (!TABLE[k].usable())
            return RM_NOT_USABLE;
        __atomic_store_n(&selected, TABLE[k].kernels, __ATOMIC_RELEASE);
        return RM_OK;
    }
    return RM_NAME_UNKNOWN;
}

/* Whether a float array of these extents is within 63 bits of bytes. */
static int fits(int64_t a, int64_t b, int64_t c, int64_t d)
{
    int64_t bytes = sizeof(float);
    return !(__builtin_mul_overflow(bytes, a, &bytes) || __builtin_mul_overflow(bytes, b, &bytes) ||
             __builtin_mul_overflow(bytes, c, &bytes) || __builtin_mul_overflow(bytes, d, &bytes));
}

/* Windows along one axis, or -1 where there is none. */
static int64_t windows(int64_t size, int64_t before, int64_t after, int64_t kernel, int64_t stride, int64_t dilation)
{
    int64_t room = size + before + after - (kernel - 1) * dilation - 1;
    return room < 0 ? -1 : room / stride + 1;
}

int rm_dw_check(const rm_dw_shape *s)
{
    if (!s)
        return RM_NULL;
    /* 30 bits each keep every sum, and every product of two, within 63. */
    const int64_t given[] = {s->h, s->w, s->c, s->kh, s->kw, s->stride, s->dilation,
                             s->top, s->bottom, s->left, s->right, s->n};
    for (size_t k = 0; k < sizeof given / sizeof *given; k++)
        if (given[k] < 0)
            return RM_SHAPE;
    for (size_t k = 0; k < sizeof given / sizeof *given; k++)
        if (given[k] >> 30)
            return RM_TOO_LARGE;
    if (s->kh < 1 || s->kw < 1 || s->stride < 1 || s->dilation < 1)
        return RM_SHAPE;
    if (s->p < 1 || s->p != windows(s->h, s->top, s->bottom, s->kh, s->stride, s->dilation) ||
        s->q < 1 || s->q != windows(s->w, s->left, s->right, s->kw, s->stride, s->dilation))
        return RM_SHAPE;
    if (!fits(s->n, s->h, s->w, s->c) || !fits(s->n, s->p, s->q, s->c) || !fits(1, s->kh, s->kw, s->c))
        return RM_TOO_LARGE;
    return RM_OK;
}

int rm_f32_depthwise_fwd(const rm_dw_shape *s, const float *x, const float *w, const float *b, float *y)
{
    int status = rm_dw_check(s);
    if (status)
        return status;
    if (!x || !w || !y)
        return RM_NULL;
    in_use()->f32_depthwise_fwd(s, x, w, b, y);
    return RM_OK;
}

int rm_f32_depthwise_bwd(const rm_dw_shape *s, const float *dy, const float *x, const float *w,
                         float *dx, float *dw, float *db)
{
    int status = rm_dw_check(s);
    if (status)
        return status;
    if (!dy || !x || !w || !dx || !dw || !db)
        return RM_NULL;
    const rm_kernels *kernels = in_use();
    kernels->f32_depthwise_bwdx(s, dy, w, dx);
    kernels->f32_depthwise_bwdw(s, dy, x, dw, db);
    return RM_OK;
}
