/* Strided, dilated and transposed windows along one axis, as dense ones.
 *
 * Outputs o with the same residue meet the same taps at the same spacing, so an
 * axis falls into phases, and in each
 *
 *   out[out0 + out_step*q]  takes  in[in0 + in_step*m] * tap[tap0 + tap_step*j],
 *   m = q*stride + j,  q = 0..count-1,  j = 0..taps-1,  where lo <= m < hi
 *
 * Forward (1):  o*S + i*L - T, g = gcd(S, L): L/g phases of stride S/g.
 * Backward (2): o + T = p*S + i*L: lcm(S, L) phases of stride 1, whose taps run
 * from the last to the first, so that j grows with p.
 */
#ifndef RM_PHASE_H
#define RM_PHASE_H

#include "isa.h"

typedef struct rm_axis {
    int64_t in_size, out_size, kernel, stride, dilation, before;
    int is_backward;
} rm_axis;

typedef struct rm_phase {
    int64_t out0, out_step, count;
    int64_t in0, in_step, stride, lo, hi;
    int64_t tap0, tap_step, taps;
} rm_phase;

/* So many phases are handled side by side, so that memory is walked in its order. */
enum { RM_PHASES = 4 };

static inline int64_t rm_gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static inline int64_t rm_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t rm_most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Phases that hold at least one output. */
static inline int64_t rm_phase_count(const rm_axis *a)
{
    int64_t g = rm_gcd(a->stride, a->dilation), spread = a->dilation / g;
    return rm_least(a->is_backward ? a->stride * spread : spread, a->out_size);
}

/* The taps i of (2) that output `o` meets: i = tap0, tap0 - S/g, ... */
static inline void rm_phase_backward(const rm_axis *a, int64_t o, int64_t g, rm_phase *f)
{
    int64_t every = a->stride / g, first = 0;
    while (first < rm_least(every, a->kernel) && (o + a->before - first * a->dilation) % a->stride)
        first++;
    f->taps = first < rm_least(every, a->kernel) ? (a->kernel - first - 1) / every + 1 : 0;
    f->stride = 1;
    f->tap0 = first + (f->taps - 1) * every;
    f->tap_step = -every;
    f->out_step = a->stride * (a->dilation / g);
    f->in_step = a->dilation / g;
    f->in0 = (o + a->before - first * a->dilation) / a->stride - (f->taps - 1) * f->in_step;
}

/* The phase whose first output is `o`. */
static inline rm_phase rm_phase_of(const rm_axis *a, int64_t o)
{
    int64_t g = rm_gcd(a->stride, a->dilation);
    rm_phase f = {.out0 = o};
    if (a->is_backward) {
        rm_phase_backward(a, o, g, &f);
    } else {
        f.taps = a->kernel;
        f.stride = a->stride / g;
        f.tap_step = 1;
        f.out_step = a->dilation / g;
        f.in_step = a->dilation;
        f.in0 = o * a->stride - a->before;
    }
    f.count = (a->out_size - o + f.out_step - 1) / f.out_step;
    f.lo = f.in0 < 0 ? (-f.in0 + f.in_step - 1) / f.in_step : 0;
    f.hi = f.in0 < a->in_size ? (a->in_size - f.in0 + f.in_step - 1) / f.in_step : 0;
    return f;
}

/* The taps j of output q that fall inside: first <= j < last. */
static inline int64_t rm_first_tap(const rm_phase *f, int64_t q)
{
    return rm_least(rm_most(f->lo - q * f->stride, 0), f->taps);
}
static inline int64_t rm_last_tap(const rm_phase *f, int64_t q)
{
    return rm_most(rm_least(f->hi - q * f->stride, f->taps), rm_first_tap(f, q));
}

#endif
