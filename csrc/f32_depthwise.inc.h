/* Depthwise convolution, forward and backward.  Compiled once per ISA by target_*.c.
 *
 *   y[n,p,q,c]  = b[c] + sum_{i,j} x[n, p*S + i*L - T, q*S + j*L - U, c] * w[i,j,c]  (1)
 *   dx[n,r,s,c] = sum over (p,i), (q,j) with p*S + i*L - T = r and q*S + j*L - U = s
 *                 of dy[n,p,q,c] * w[i,j,c]                                          (2)
 *   dw[i,j,c]   = sum_{n,p,q} dy[n,p,q,c] * x[n, p*S + i*L - T, q*S + j*L - U, c]    (3)
 *   db[c]       = sum_{n,p,q} dy[n,p,q,c]                                            (4)
 *
 * Layout    x NHWC, w HWC, b C (or NULL), y NHWC; all contiguous float32.
 * Lanes     consecutive channels: no lane ever meets another lane.
 * Order     (1): per output one chain of multiply-adds, i outer, j inner, from
 *           b[c] or 0.  (2): per output one such chain, p outer, q inner, from 0.
 *           (3), (4): per row (n,p) one chain in the order of q from 0; the rows'
 *           sums are added in the order n outer, p inner.
 *           The order holds for every lane count, and scalar uses fmaf, so all
 *           instruction sets agree bit for bit.
 * Bound     gamma(Kh*Kw + 1), gamma(Kh*Kw), gamma(N*P*Q) times the absolute sums.
 * Reads     never outside the arrays: taps in the padding are skipped, not read.
 *           A last block of channels that is not full moves back over its
 *           neighbour and does part of its work again; with fewer channels than
 *           lanes it is loaded and stored under a mask.
 */
#include <stddef.h>

#include "phase.h"

/* Channels that are walked before the next row: whole cache lines, so many that rows are
 * read in long pieces (a sweep), so few that the totals' scratch stays small (gradients
 * of the weights).  Channels of a strip times its pixels, over the rows in hand: what
 * fits the first cache.  Measured; no result depends on them. */
enum { RM_NAME(sweep_channels) = 128, RM_NAME(weight_channels) = 80, RM_NAME(strip) = 6144, RM_NAME(aligned_from) = 8 };

/* Channels in equal shares of at most `most`, each of whole cache lines. */
RM_INLINE int64_t RM_NAME(share)(int64_t channels, int64_t most)
{
    const int64_t shares = (channels + most - 1) / most;
    return ((channels + shares - 1) / shares + 15) / 16 * 16;
}

/* The first channel of the block that a walk places at c, inside 0..C; and its lanes. */
RM_INLINE int64_t RM_NAME(block)(int64_t c, int64_t C)
{
    return C < RM_LANES ? 0 : rm_most(rm_least(c, C - RM_LANES), 0);
}
RM_INLINE int RM_NAME(lanes)(int64_t C) { return C < RM_LANES ? (int)C : RM_LANES; }

/* Where a walk over the channels begins: at or below 0, so that the blocks after the first
 * are aligned in memory wherever `a` begins, which costs one block more and saves every
 * second load from crossing a cache line. */
static int64_t RM_NAME(walk_from)(const float *a, int64_t C)
{
    const int64_t beyond = (int64_t)((uintptr_t)a / sizeof(float) % RM_LANES);
    return C % RM_LANES || C < RM_NAME(aligned_from) * RM_LANES || !beyond ? 0 : -beyond;
}

#include "f32_depthwise_sweep.inc.h"
#include "f32_depthwise_bwdw.inc.h"

/* Equation (1). */
static void RM_NAME(f32_depthwise_fwd)(const rm_dw_shape *s, const float *x, const float *w, const float *b, float *y)
{
    const rm_axis rows = {s->h, s->p, s->kh, s->stride, s->dilation, s->top, 0};
    const rm_axis cols = {s->w, s->q, s->kw, s->stride, s->dilation, s->left, 0};
    for (int64_t n = 0; n < s->n; n++)
        RM_NAME(sweep)(&rows, &cols, s->c, x + n * s->h * s->w * s->c, w, b, y + n * s->p * s->q * s->c);
}

/* Equation (2): the same sweep, from the rows of dy to those of dx. */
static void RM_NAME(f32_depthwise_bwdx)(const rm_dw_shape *s, const float *dy, const float *w, float *dx)
{
    const rm_axis rows = {s->p, s->h, s->kh, s->stride, s->dilation, s->top, 1};
    const rm_axis cols = {s->q, s->w, s->kw, s->stride, s->dilation, s->left, 1};
    for (int64_t n = 0; n < s->n; n++)
        RM_NAME(sweep)(&rows, &cols, s->c, dy + n * s->p * s->q * s->c, w, NULL, dx + n * s->h * s->w * s->c);
}
