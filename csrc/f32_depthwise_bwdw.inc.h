/* Equations (3) and (4): gradients of the weights and of the bias.
 *
 * For one row of dy, a few kernel rows at a time: an accumulator for each tap, and a
 * walk along the row.  The row's sums are then added to the totals, which lie in a
 * scratch as [block of channels][i][j][lane], so that a block that overlaps its
 * neighbour has totals of its own.
 */

/* Most taps of a kernel whose totals the scratch holds. */
enum { RM_NAME(taps) = 49 };

/* One row of dy against `RM_G` rows of x. */
typedef struct RM_NAME(wline) {
    const float *dy, *x;         /* pixel 0 of dy's row; this image */
    float *total;                /* first block, tap (i, 0) of the first kernel row */
    float *bias;                 /* first block's total of (4), or NULL */
    int64_t c0, c1, t_step;      /* channels; floats from one block's totals to the next */
    int64_t C, x_row, x_tap;     /* steps: pixel of dy, kernel row and tap in x */
    int64_t x0, s0, stride, dilation, W; /* in x: row of the first kernel row; column of tap 0 of pixel 0 */
    int64_t strip;               /* pixels that are walked before the next block of channels */
    int64_t inner0, inner1, Q;   /* pixels whose taps are all inside: inner0 <= q < inner1 */
} RM_NAME(wline);

#define RM_WLINE_PASTE(K, G, DENSE) RM_NAME(wline_k##K##g##G##d##DENSE)
#define RM_WLINE_EXPANDED(K, G, DENSE) RM_WLINE_PASTE(K, G, DENSE)
#define RM_WLINE RM_WLINE_EXPANDED(RM_K, RM_G, RM_DENSE)

#define RM_K 3
#define RM_G 1
#define RM_DENSE 0
#include "f32_depthwise_wline.inc.h"
#define RM_K 3
#define RM_G 2
#define RM_DENSE 0
#include "f32_depthwise_wline.inc.h"
#define RM_K 3
#define RM_G 2
#define RM_DENSE 1
#include "f32_depthwise_wline.inc.h"
#define RM_K 3
#define RM_G 3
#define RM_DENSE 0
#include "f32_depthwise_wline.inc.h"
#define RM_K 3
#define RM_G 3
#define RM_DENSE 1
#include "f32_depthwise_wline.inc.h"
#define RM_K 5
#define RM_G 1
#define RM_DENSE 0
#include "f32_depthwise_wline.inc.h"
#define RM_K 5
#define RM_G 2
#define RM_DENSE 0
#include "f32_depthwise_wline.inc.h"
#define RM_K 5
#define RM_G 3
#define RM_DENSE 0
#include "f32_depthwise_wline.inc.h"
#define RM_K 7
#define RM_G 1
#define RM_DENSE 0
#include "f32_depthwise_wline.inc.h"

/* The sums of one row of dy, added to db's totals. */
static void RM_NAME(bias_row)(const float *dy, int64_t C, int64_t Q, int64_t c0, int64_t c1, float *total)
{
    for (int64_t c = c0; c < c1; c += RM_LANES, total += RM_LANES) {
        const float *a = dy + RM_NAME(block)(c, C);
        vec sum = vec_zero();
        for (int64_t q = 0; q < Q; q++)
            sum = vec_add(vec_load(a + q * C), sum);
        vec_store(total, vec_add(vec_load(total), sum));
    }
}

/* Kernel rows i0..i1, in groups whose accumulators fit 16 registers; the last takes db's sum along,
 * unless it has no register left. */
static void RM_NAME(wlines)(RM_NAME(wline) *l, int64_t K, int64_t i0, int64_t i1, float *bias)
{
    typedef void (*wline_fn)(const RM_NAME(wline) *);
    const int is_dense = l->stride == 1 && l->dilation == 1;
    const wline_fn by_rows[3][3] = {
        {RM_NAME(wline_k3g1d0), is_dense ? RM_NAME(wline_k3g2d1) : RM_NAME(wline_k3g2d0),
         is_dense ? RM_NAME(wline_k3g3d1) : RM_NAME(wline_k3g3d0)},
        {RM_NAME(wline_k5g1d0), RM_NAME(wline_k5g2d0), RM_NAME(wline_k5g3d0)},
        {RM_NAME(wline_k7g1d0), RM_NAME(wline_k7g1d0), RM_NAME(wline_k7g1d0)},
    };
    while (i0 < i1) {
        const int64_t left = i1 - i0;
        int64_t rows = K == 7 ? 1 : rm_least(left, K == 3 ? 3 : 2);
        if (K == 5 && (left > 4 || left == 3))
            rows = 3;
        l->bias = rows == left ? bias : NULL;
        by_rows[(K - 3) / 2][rows - 1](l);
        if (l->bias && rows * K == 15)
            RM_NAME(bias_row)(l->dy, l->C, l->Q, l->c0, l->c1, bias);
        i0 += rows;
        l->x0 += rows * l->x_row;
        l->total += rows * K * RM_LANES;
    }
}

/* One row (n, p) for the channels c0..c1. */
static void RM_NAME(weight_row)(const rm_dw_shape *s, int64_t n, int64_t p, const float *dy, const float *x,
                                int64_t c0, int64_t c1, float *total, float *bias)
{
    const int64_t C = s->c, r0 = p * s->stride - s->top, L = s->dilation;
    const int64_t i0 = r0 < 0 ? rm_least((-r0 + L - 1) / L, s->kh) : 0;
    const int64_t i1 = r0 < s->h ? rm_most(rm_least((s->h - r0 + L - 1) / L, s->kh), i0) : i0;
    const int64_t reach = s->w + s->left - (s->kw - 1) * L; /* first column whose last tap is outside */
    RM_NAME(wline) l = {.C = C, .x_row = L * s->w * C, .x_tap = L * C, .s0 = -s->left, .stride = s->stride,
                        .dilation = L, .W = s->w, .Q = s->q};
    l.inner0 = rm_least((s->left + s->stride - 1) / s->stride, s->q);
    l.inner1 = reach < 1 ? 0 : rm_least((reach - 1) / s->stride + 1, s->q);
    l.inner1 = rm_most(l.inner0, l.inner1);
    l.dy = dy + (n * s->p + p) * s->q * C;
    l.x = x + n * s->h * s->w * C;
    l.x0 = (r0 + i0 * L) * s->w * C;
    l.total = total + i0 * s->kw * RM_LANES;
    l.c0 = c0;
    l.c1 = c1;
    l.t_step = s->kh * s->kw * RM_LANES;
    l.strip = rm_most(RM_NAME(strip) / ((c1 - c0) * (1 + s->kh * s->stride)), 8);
    if (i0 == i1)
        RM_NAME(bias_row)(l.dy, C, s->q, c0, c1, bias);
    RM_NAME(wlines)(&l, s->kw, i0, i1, bias);
}

/* The channels c0..c1, all rows: totals in scratch, then stored. */
static void RM_NAME(weight_chunk)(const rm_dw_shape *s, const float *dy, const float *x, int64_t c0, int64_t c1,
                                  float *dw, float *db)
{
    float total[RM_NAME(weight_channels) * RM_NAME(taps)], bias[RM_NAME(weight_channels)];
    const int64_t taps = s->kh * s->kw, blocks = (c1 - c0 + RM_LANES - 1) / RM_LANES;
    for (int64_t k = 0; k < blocks * taps * RM_LANES; k++)
        total[k] = 0;
    for (int64_t k = 0; k < blocks * RM_LANES; k++)
        bias[k] = 0;
    for (int64_t n = 0; n < s->n; n++) {
        for (int64_t p = 0; p < s->p; p++)
            RM_NAME(weight_row)(s, n, p, dy, x, c0, c1, total, bias);
    }
    for (int64_t k = 0; k < blocks; k++) {
        const int64_t at = RM_NAME(block)(c0 + k * RM_LANES, s->c);
        for (int64_t tap = 0; tap < taps; tap++)
            vec_store(dw + (tap * s->c + at), vec_load(total + (k * taps + tap) * RM_LANES));
        vec_store(db + at, vec_load(bias + k * RM_LANES));
    }
}

/* One tap of any kernel, one block of channels, all rows; x NULL: (4), the sum of dy. */
RM_INLINE vec RM_NAME(weight_tap)(const rm_dw_shape *s, const float *dy, const float *x, int64_t i, int64_t j,
                                  int is_whole)
{
    const int lanes = RM_NAME(lanes)(s->c);
    vec total = vec_zero();
    for (int64_t n = 0; n < s->n; n++) {
        for (int64_t p = 0; p < s->p; p++) {
            const int64_t r = p * s->stride + i * s->dilation - s->top;
            vec sum = vec_zero();
            for (int64_t q = 0; q < s->q && (!x || (r >= 0 && r < s->h)); q++) {
                const int64_t col = q * s->stride + j * s->dilation - s->left;
                if (x && (col < 0 || col >= s->w))
                    continue;
                const float *a = dy + ((n * s->p + p) * s->q + q) * s->c;
                const float *v = x ? x + ((n * s->h + r) * s->w + col) * s->c : a;
                const vec d = is_whole ? vec_load(a) : vec_load_tail(a, lanes);
                const vec factor = is_whole ? vec_load(v) : vec_load_tail(v, lanes);
                if (x)
                    vec_mac(&sum, &d, &factor);
                else
                    sum = vec_add(d, sum);
            }
            total = vec_add(total, sum);
        }
    }
    return total;
}

/* Any kernel, any number of channels: tap by tap. */
RM_INLINE void RM_NAME(weight_any)(const rm_dw_shape *s, const float *dy, const float *x, float *dw, float *db,
                                   int is_whole)
{
    const int lanes = RM_NAME(lanes)(s->c);
    for (int64_t c = 0; c < s->c; c += RM_LANES) {
        const int64_t at = RM_NAME(block)(c, s->c);
        for (int64_t k = 0; k <= s->kh * s->kw; k++) {
            float *out = k < s->kh * s->kw ? dw + (k * s->c + at) : db + at;
            const float *of = k < s->kh * s->kw ? x + at : NULL;
            const vec total = RM_NAME(weight_tap)(s, dy + at, of, k / s->kw, k % s->kw, is_whole);
            if (is_whole)
                vec_store(out, total);
            else
                vec_store_tail(out, total, lanes);
        }
    }
}

static void RM_NAME(f32_depthwise_bwdw)(const rm_dw_shape *s, const float *dy, const float *x, float *dw, float *db)
{
    const int is_listed = s->kw == 3 || s->kw == 5 || s->kw == 7;
    if (s->c < RM_LANES) {
        RM_NAME(weight_any)(s, dy, x, dw, db, 0);
    } else if (!is_listed || s->kh * s->kw > RM_NAME(taps)) {
        RM_NAME(weight_any)(s, dy, x, dw, db, 1);
    } else {
        const int64_t from = RM_NAME(walk_from)(x, s->c), chunk = RM_NAME(share)(s->c - from, RM_NAME(weight_channels));
        for (int64_t c = from; c < s->c; c += chunk)
            RM_NAME(weight_chunk)(s, dy, x, c, rm_least(c + chunk, s->c), dw, db);
    }
}
