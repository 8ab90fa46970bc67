/* Equations (1) and (2) as one sweep over phases (phase.h), rows, pixels and channels.
 *
 * A line is one output row (of one phase) of some channels: every kernel row that is
 * inside the image, runs of pixels, blocks of channels.  Which function computes it
 * depends on the taps in a kernel row; the order of each chain does not.
 */

typedef struct RM_NAME(line) {
    const float *x, *w, *b; /* one image; all taps; the bias or NULL */
    float *y;
    int64_t C, c0, c1;              /* all channels; those of this line */
    int64_t x0, x_row, x_pix;       /* in x: column m = 0 of the first kernel row; steps */
    int64_t w0, w_row, w_tap;       /* in w: tap j = 0 of the first kernel row; steps */
    int64_t y0, y_pix;              /* in y: pixel 0; step */
    int64_t rows;                   /* kernel rows that are inside */
    int64_t taps, stride, lo, hi;   /* the columns' phase */
} RM_NAME(line);

typedef void (*RM_NAME(line_fn))(const RM_NAME(line) *l, int64_t count);

/* Column m of x, loaded once, meets pixel t of the run by tap m - t*S.  Columns come in
 * order, so every pixel meets its taps in order; columns outside lo..hi are skipped for
 * all pixels.  The conditions on t, m and j are constants. */
#define RM_LINE_PASTE(name, K, S) RM_NAME(name##_k##K##s##S)
#define RM_LINE_EXPANDED(name, K, S) RM_LINE_PASTE(name, K, S)
#define RM_LINE(name) RM_LINE_EXPANDED(name, RM_K, RM_S)
#define RM_RUN_PASTE(name, K, S, T) RM_NAME(name##_k##K##s##S##t##T)
#define RM_RUN_EXPANDED(name, K, S, T) RM_RUN_PASTE(name, K, S, T)
#define RM_RUN(name, T) RM_RUN_EXPANDED(name, RM_K, RM_S, T)
#define RM_LOAD_TAP(j) \
    if ((j) < RM_K) \
        w##j = vec_load(w + (j) * w_tap);
#define RM_TAP_AT(j) \
    ((j) == 0 ? &w0 : (j) == 1 ? &w1 : (j) == 2 ? &w2 : (j) == 3 ? &w3 : (j) == 4 ? &w4 : (j) == 5 ? &w5 : &w6)
#define RM_MEET(t, m) \
    if ((t) < RM_T && (m) >= (t) * RM_S && (m) - (t) * RM_S < RM_K) \
        vec_mac(&a##t, &v, RM_TAP_AT((m) - (t) * RM_S));
#define RM_IS_INSIDE(m) \
    ((edges == 0 || (edges == 1 && (m) >= RM_K - 1) || (m) >= lo) && \
     (edges == 0 || (edges == 1 && (m) <= RM_COLUMNS - RM_K) || (m) < hi))
#define RM_COLUMN(m) \
    if ((m) < RM_COLUMNS && RM_IS_INSIDE(m)) { \
        const vec v = vec_load(x); \
        x += x_pix; \
        RM_MEET(0, m) RM_MEET(1, m) RM_MEET(2, m) RM_MEET(3, m) RM_MEET(4, m) RM_MEET(5, m) RM_MEET(6, m) \
        RM_MEET(7, m) RM_MEET(8, m) RM_MEET(9, m) RM_MEET(10, m) RM_MEET(11, m) RM_MEET(12, m) RM_MEET(13, m) \
    }
#define RM_PUT(t) \
    if ((t) < RM_T && (edges < 2 || (t) < count)) \
        vec_store(y + (t) * y_pix, a##t);

#define RM_K 1
#define RM_S 1
#include "f32_depthwise_line.inc.h"
#define RM_K 2
#define RM_S 1
#include "f32_depthwise_line.inc.h"
#define RM_K 3
#define RM_S 1
#include "f32_depthwise_line.inc.h"
#define RM_K 4
#define RM_S 1
#include "f32_depthwise_line.inc.h"
#define RM_K 5
#define RM_S 1
#include "f32_depthwise_line.inc.h"
#define RM_K 7
#define RM_S 1
#include "f32_depthwise_line.inc.h"
#define RM_K 3
#define RM_S 2
#include "f32_depthwise_line.inc.h"
#define RM_K 5
#define RM_S 2
#include "f32_depthwise_line.inc.h"
#define RM_K 7
#define RM_S 2
#include "f32_depthwise_line.inc.h"

/* Any taps, any stride, any number of lanes: pixel by pixel. */
RM_INLINE void RM_NAME(line_of)(const RM_NAME(line) *l, int64_t count, int is_whole)
{
    const int lanes = RM_NAME(lanes)(l->C);
    const rm_phase f = {.lo = l->lo, .hi = l->hi, .taps = l->taps, .stride = l->stride};
    for (int64_t q = 0; q < count; q++) {
        const int64_t j0 = rm_first_tap(&f, q), j1 = rm_last_tap(&f, q);
        for (int64_t c = l->c0; c < l->c1; c += RM_LANES) {
            const int64_t at = RM_NAME(block)(c, l->C);
            vec sum = !l->b ? vec_zero() : is_whole ? vec_load(l->b + at) : vec_load_tail(l->b + at, lanes);
            for (int64_t i = 0; i < l->rows; i++) {
                for (int64_t j = j0; j < j1; j++) {
                    const float *x = l->x + (l->x0 + i * l->x_row + (q * l->stride + j) * l->x_pix + at);
                    const float *w = l->w + (l->w0 + i * l->w_row + j * l->w_tap + at);
                    const vec v = is_whole ? vec_load(x) : vec_load_tail(x, lanes);
                    const vec tap = is_whole ? vec_load(w) : vec_load_tail(w, lanes);
                    vec_mac(&sum, &v, &tap);
                }
            }
            float *y = l->y + (l->y0 + q * l->y_pix + at);
            if (is_whole)
                vec_store(y, sum);
            else
                vec_store_tail(y, sum, lanes);
        }
    }
}

static void RM_NAME(line_any)(const RM_NAME(line) *l, int64_t count)
{
    RM_NAME(line_of)(l, count, 1);
}

static void RM_NAME(line_tail)(const RM_NAME(line) *l, int64_t count)
{
    RM_NAME(line_of)(l, count, 0);
}

static RM_NAME(line_fn) RM_NAME(line_for)(const rm_phase *cols, int64_t C)
{
    static const RM_NAME(line_fn) dense[] = {RM_NAME(line_any), RM_NAME(line_k1s1), RM_NAME(line_k2s1),
                                             RM_NAME(line_k3s1), RM_NAME(line_k4s1), RM_NAME(line_k5s1),
                                             RM_NAME(line_any), RM_NAME(line_k7s1)};
    static const RM_NAME(line_fn) by_two[] = {RM_NAME(line_any), RM_NAME(line_any), RM_NAME(line_any),
                                              RM_NAME(line_k3s2), RM_NAME(line_any), RM_NAME(line_k5s2),
                                              RM_NAME(line_any), RM_NAME(line_k7s2)};
    if (C < RM_LANES)
        return RM_NAME(line_tail);
    if (cols->taps > 7 || cols->stride > 2)
        return RM_NAME(line_any);
    return cols->stride == 1 ? dense[cols->taps] : by_two[cols->taps];
}

/* What one sweep walks over. */
typedef struct RM_NAME(plane) {
    const rm_axis *rows, *cols;
    int64_t C;
    const float *x, *w, *b;
    float *y;
} RM_NAME(plane);

/* Output row q of one row phase: some column phases, channels c0..c1. */
static void RM_NAME(sweep_row)(const RM_NAME(plane) *a, const rm_phase *row, int64_t q, const rm_phase *cols,
                               int64_t phases, int64_t c0, int64_t c1)
{
    const int64_t C = a->C, i0 = rm_first_tap(row, q), i1 = rm_last_tap(row, q);
    for (int64_t k = 0; k < phases; k++) {
        const rm_phase *col = cols + k;
        const int64_t rows = col->taps ? i1 - i0 : 0; /* without any, x0 and w0 would lie anywhere */
        const RM_NAME(line) l = {
            .x = a->x, .w = a->w, .b = a->b, .y = a->y, .C = C, .c0 = c0, .c1 = c1,
            .x0 = !rows ? 0 : ((row->in0 + row->in_step * (q * row->stride + i0)) * a->cols->in_size + col->in0) * C,
            .x_row = row->in_step * a->cols->in_size * C, .x_pix = col->in_step * C,
            .w0 = !rows ? 0 : ((row->tap0 + row->tap_step * i0) * a->cols->kernel + col->tap0) * C,
            .w_row = row->tap_step * a->cols->kernel * C, .w_tap = col->tap_step * C,
            .y0 = ((row->out0 + row->out_step * q) * a->cols->out_size + col->out0) * C,
            .y_pix = col->out_step * C, .rows = rows,
            .taps = col->taps, .stride = col->stride, .lo = col->lo, .hi = col->hi};
        RM_NAME(line_for)(col, C)(&l, col->count);
    }
}

/* All rows of the phases given, for channels c0..c1. */
static void RM_NAME(sweep_rows)(const RM_NAME(plane) *a, const rm_phase *cols, int64_t phases,
                                int64_t c0, int64_t c1)
{
    const int64_t all = rm_phase_count(a->rows);
    for (int64_t start = 0; start < all; start += RM_PHASES) {
        rm_phase rows[RM_PHASES];
        const int64_t here = rm_least(RM_PHASES, all - start);
        for (int64_t k = 0; k < here; k++)
            rows[k] = rm_phase_of(a->rows, start + k);
        for (int64_t q = 0; q < rows[0].count; q++)
            for (int64_t k = 0; k < here && q < rows[k].count; k++)
                RM_NAME(sweep_row)(a, rows + k, q, cols, phases, c0, c1);
    }
}

#include "f32_depthwise_spread.inc.h"

/* y from x (or dx from dy) of one image. */
static void RM_NAME(sweep)(const rm_axis *rows, const rm_axis *cols, int64_t C, const float *x, const float *w,
                           const float *b, float *y)
{
    const RM_NAME(plane) a = {rows, cols, C, x, w, b, y};
    const int is_spread = RM_NAME(is_spread)(&a); /* stores more often than it loads */
    const int64_t all = rm_phase_count(cols), from = RM_NAME(walk_from)(is_spread ? y : x, C);
    const int64_t chunk = RM_NAME(share)(C - from, RM_NAME(sweep_channels));
    for (int64_t start = 0; start < all; start += RM_PHASES) {
        rm_phase phases[RM_PHASES];
        const int64_t here = rm_least(RM_PHASES, all - start);
        for (int64_t k = 0; k < here; k++)
            phases[k] = rm_phase_of(cols, start + k);
        for (int64_t c = from; c < C; c += chunk)
            (is_spread ? RM_NAME(spread_rows) : RM_NAME(sweep_rows))(&a, phases, here, c, rm_least(c + chunk, C));
    }
}
