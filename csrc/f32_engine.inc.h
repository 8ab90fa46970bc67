/* The engine's steps: compiled once per instruction set by engine_*.c, over blk_*.h.
 *
 * Order and layout: engine.h.  Tiles: written by tiles.py into the build's own folder.
 */
#include <string.h>

#include "engine.h"

static const float RM_SIX = 6.0f;

#include "f32_engine_act.inc.h"

typedef void (*RM_NAME(dw_tile))(const rm_dw *r, const int64_t *row, int64_t q, float *y);

/* Every row in runs of 7 pixels, or of 8 where there is such a tile and that is fewer runs; the last one moves back over
 * its neighbour, and a row of fewer is computed beside its place and copied.  (A row of u has
 * room for a run.) */
static inline __attribute__((always_inline)) void RM_NAME(dw_rows)(const rm_dw *r, RM_NAME(dw_tile) seven,
                                                                    RM_NAME(dw_tile) eight)
{
    const int64_t n = r->pixels;
    const int is_long = eight && (n + 7) / 8 < (n + 6) / 7;
    const int64_t *row = r->row;
    float *y = r->y;
    for (int64_t p = 0; p < r->rows; p++, row += r->stride, y += r->y_row) {
        if (n < 7) {
            float beside[7 * RM_BLOCK];
            seven(r, row, 0, beside);
            memcpy(y, beside, n * RM_BLOCK * sizeof *y);
        } else if (is_long) {
            for (int64_t q = 0; q < n; q += 8) {
                const int64_t at = rm_least(q, n - 8);
                eight(r, row, at, y + at * RM_BLOCK);
            }
        } else {
            for (int64_t q = 0; q < n; q += 7) {
                const int64_t at = rm_least(q, n - 7);
                seven(r, row, at, y + at * RM_BLOCK);
            }
        }
    }
}

#include RM_TILES

/* Any other kernel and stride, pixel by pixel. */
static void RM_NAME(dw_any)(const rm_dw *r)
{
    for (int64_t p = 0; p < r->rows; p++) {
        for (int64_t q = 0; q < r->pixels; q++) {
            blk sum = blk_load(r->b);
            for (int64_t i = 0; i < r->kernel; i++) {
                const float *x = r->u + r->row[p * r->stride + i] + q * r->stride_w * RM_BLOCK;
                for (int64_t j = 0; j < r->kernel; j++) {
                    const blk v = blk_load(x + j * RM_BLOCK), w = blk_load(r->w + (i * r->kernel + j) * RM_BLOCK);
                    blk_mac(&sum, &v, &w);
                }
            }
            if (r->act == RM_ACT_RELU || r->act == RM_ACT_RELU6)
                sum = RM_NAME(act)(r->act, sum);
            blk_store(r->y + p * r->y_row + q * RM_BLOCK, sum);
        }
    }
}

/* A tile has a stride of columns; its rows are anywhere. */
static void RM_NAME(dw)(const rm_dw *r)
{
    void (*run)(const rm_dw *) = RM_NAME(dw_any);
    for (size_t k = 0; k < sizeof RM_NAME(dw_tiles) / sizeof *RM_NAME(dw_tiles); k++)
        if (RM_NAME(dw_tiles)[k].kernel == r->kernel && RM_NAME(dw_tiles)[k].stride == r->stride_w)
            run = RM_NAME(dw_tiles)[k].run;
    run(r);
    if (r->act > RM_ACT_RELU6)
        for (int64_t p = 0; p < r->rows; p++)
            RM_NAME(activate)(r->act, r->pixels, r->y + p * r->y_row);
}

/* Pixels of a tile beside so many blocks, at most.  With few multiply-adds in a sum, tiles of eight or nine
 * accumulators are faster than larger ones: the next one begins while they end. */
static int64_t RM_NAME(most_pixels)(int64_t blocks, int64_t depth, const int most[3])
{
    static const int64_t FEW[] = {8, 4, 3};
    return RM_BLOCK == 8 && depth <= 48 ? FEW[blocks - 1] : most[blocks - 1];
}

/* Pixels [first, first + count) in tiles whose sizes differ by one at most. */
static void RM_NAME(pw_tiled)(rm_pw *r, int64_t panel, int64_t first, int64_t count)
{
    if (panel > 3) { /* a wide panel: pixel by pixel */
        RM_NAME(pw_dense)(r, first, count);
        return;
    }
    const int64_t most = RM_NAME(most_pixels)(panel, r->blocks * RM_BLOCK, RM_NAME(pw_pixels));
    const int64_t tiles = (count + most - 1) / most, size = count / tiles, larger = count % tiles;
    if (larger)
        RM_NAME(pw_tiles)[panel - 1][size](r, first, larger);
    RM_NAME(pw_tiles)[panel - 1][size - 1](r, first + larger * (size + 1), tiles - larger);
}

/* The activation of what was stored at [first, last), in runs of pixels that lie together. */
static void RM_NAME(pw_activated)(const rm_pw *r, int64_t panel, int64_t first, int64_t last)
{
    for (int64_t k = first, end; k < last; k = end) {
        for (end = k + 1; end < last && r->at[end] == r->at[end - 1] + RM_BLOCK;)
            end++;
        for (int64_t n = 0; n < panel; n++)
            RM_NAME(activate)(r->act, end - k, r->y + r->at[k] + n * r->y_plane);
    }
}

/* All pixels; where an activation follows, so many at a time that they are still in the first cache. */
static void RM_NAME(pw)(rm_frame *f, rm_pw *r, int64_t panel)
{
    enum { AT_A_TIME = 96 };
    const int is_activated = r->act > RM_ACT_RELU6;
    const int64_t size_of_panel = r->blocks * RM_BLOCK * panel * RM_BLOCK;
    r->later = f->later;
    r->later_end = f->later_end;
    /* The panel after this one lies behind it.  Few input channels: it comes by itself in time. */
    r->ahead = r->w + size_of_panel;
    r->ahead_end = r->blocks * RM_BLOCK > 48 ? r->ahead + size_of_panel : r->w;
    for (int64_t first = 0, last; first < r->pixels; first = last) {
        last = is_activated ? rm_least(first + AT_A_TIME, r->pixels) : r->pixels;
        RM_NAME(pw_tiled)(r, panel, first, last - first);
        if (is_activated)
            RM_NAME(pw_activated)(r, panel, first, last);
    }
    f->later = r->later;
}

/* Panel number k of a product: its first block, blocks, and where its weights begin. */
typedef struct RM_NAME(panel) {
    int64_t first, blocks;
    const float *w, *b;
} RM_NAME(panel);

static RM_NAME(panel) RM_NAME(panel_of)(const rm_program *g, const rm_product *m, int64_t k, int64_t depth)
{
    const int32_t *at = g->tables + m->panels + 2 * k;
    return (RM_NAME(panel)){at[0], at[1], g->weights + m->w + at[0] * RM_BLOCK * depth,
                            g->weights + m->b + at[0] * RM_BLOCK};
}

#include "f32_engine_fill.inc.h"
#include "f32_engine_steps.inc.h"
#include "f32_engine_window.inc.h"

const rm_engine RM_NAME(engine) = {
    .block = RM_BLOCK,
    .stem_blocks = RM_NAME(stem_blocks),
    .dense_blocks = RM_NAME(dense_blocks),
    .step = {RM_NAME(step_stem), RM_NAME(step_band), RM_NAME(step_slab), RM_NAME(step_scale), RM_NAME(step_point),
             RM_NAME(step_split), RM_NAME(step_mean), RM_NAME(step_dense), RM_NAME(step_groups), RM_NAME(step_shortcut),
             RM_NAME(step_window), RM_NAME(step_average), RM_NAME(step_lanes), RM_NAME(step_softmax)},
    .activate = RM_NAME(activate),
};
