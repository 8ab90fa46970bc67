/* The steps of a program (refmnas_c.h, RM_STEP_*): what a thread does with its units. */

/* Where the rows of u lie that output rows [p0, p1) read; rows outside the image: the slot of zeros. */
static void RM_NAME(rows_of)(const rm_step *s, int64_t p0, int64_t p1, int64_t row[RM_REACH])
{
    const int64_t first = p0 * s->stride - s->top, count = (p1 - p0 - 1) * s->stride + s->kernel;
    const int64_t slot = RM_NAME(slot)(s);
    int64_t at = rm_most(first, 0) % s->u_slots;
    for (int64_t k = 0; k < count; k++) {
        const int is_inside = first + k >= 0 && first + k < s->u_h;
        row[k] = (is_inside ? at : s->u_slots) * slot;
        if (is_inside && ++at == s->u_slots)
            at = 0;
    }
}

/* The sums of rows [p0, p1) of a block, from y, where the step keeps them. */
static void RM_NAME(row_sums)(const rm_program *g, const rm_step *s, int64_t block, int64_t p0, int64_t p1, const float *y)
{
    for (int64_t p = p0; s->is_summed && p < p1; p++, y += s->q * RM_BLOCK) {
        blk sum = blk_zero();
        for (int64_t q = 0; q < s->q; q++)
            sum = blk_add(sum, blk_load(y + q * RM_BLOCK));
        blk_store(g->work + s->sums + (p * s->v_blocks + block) * RM_BLOCK, sum);
    }
}

/* One block, rows [p0, p1) into v, whose row p0 begins at y. */
static void RM_NAME(depthwise)(rm_frame *f, const rm_step *s, const float *u, const int64_t *row, int64_t block,
                               int64_t p0, int64_t p1, float *y)
{
    const rm_program *g = f->program;
    const rm_dw run = {.u = u, .w = g->weights + s->dw_w + block * s->kernel * s->kernel * RM_BLOCK,
                       .b = g->weights + s->dw_b + block * RM_BLOCK, .row = row, .y = y, .rows = p1 - p0,
                       .pixels = s->q, .y_row = s->q * RM_BLOCK, .kernel = s->kernel, .stride = s->stride,
                       .stride_w = s->stride_w, .act = (int)s->dw_act};
    RM_NAME(dw)(&run);
    RM_NAME(row_sums)(g, s, block, p0, p1, y);
}

#include "f32_engine_grouped.inc.h"

/* A product over `pixels` neighbouring pixels from `first`: panel k. */
static void RM_NAME(product)(rm_frame *f, const rm_step *s, const rm_product *m, int64_t k, const float *a,
                             int64_t a_plane, int64_t blocks, int64_t first, int64_t pixels)
{
    const rm_program *g = f->program;
    const RM_NAME(panel) panel = RM_NAME(panel_of)(g, m, k, blocks * RM_BLOCK);
    const int64_t y_plane = s->p * s->q * RM_BLOCK, at = panel.first * y_plane + first * RM_BLOCK;
    rm_pw run = {.a = a, .w = panel.w, .b = panel.b, .res = s->res < 0 ? NULL : g->work + s->res + at,
                       .y = g->work + s->y + at, .at = g->tables, .a_plane = a_plane, .y_plane = y_plane,
                       .blocks = blocks, .pixels = pixels, .act = (int)m->act};
    RM_NAME(pw)(f, &run, panel.blocks);
}

static void RM_NAME(step_stem)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const int64_t row = s->q * RM_BLOCK;
    RM_NAME(clear_lines)(f, s);
    RM_NAME(stem_rows)(f, s, first, last, s->q, f->program->work + s->y, s->p, row, s->p * row);
}

static void RM_NAME(step_band)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    float *u = f->scratch + s->u, *shared = g->work + s->v;
    const int64_t row = s->q * RM_BLOCK, v_plane = (s->is_private ? s->rows : s->p) * row;
    int64_t next = rm_most(first * s->stride - s->top, 0); /* the first row of u that is not there yet */
    RM_NAME(clear_borders)(s, u);
    if (s->fill == RM_FILL_STEM)
        RM_NAME(clear_lines)(f, s);
    for (int64_t p0 = first, p1; p0 < last; p0 = p1) {
        p1 = rm_least(p0 + s->rows, last);
        const int64_t end = rm_least((p1 - 1) * s->stride - s->top + s->kernel, s->u_h);
        if (end > next)
            RM_NAME(fill_rows)(f, s, u, next, end);
        next = rm_most(next, end);
        int64_t rows[RM_REACH];
        RM_NAME(rows_of)(s, p0, p1, rows);
        float *v = s->is_private ? f->scratch + s->v : shared + p0 * row;
        for (int64_t b = 0; b < s->v_blocks && !s->part_count; b++)
            RM_NAME(depthwise)(f, s, u + b * s->u_pitch * RM_BLOCK, rows, b, p0, p1, v + b * v_plane);
        RM_NAME(grouped_rows)(f, s, u, rows, p0, p1, v, v_plane);
        for (int64_t k = 0; k < s->project.panel_count; k++)
            RM_NAME(product)(f, s, &s->project, k, v, v_plane, s->v_blocks, p0 * s->q, (p1 - p0) * s->q);
    }
}

static void RM_NAME(step_slab)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    float *u = f->scratch + s->u, *v = g->work + s->v;
    int64_t rows[RM_REACH];
    RM_NAME(rows_of)(s, 0, s->p, rows);
    RM_NAME(clear_borders)(s, u);
    for (int64_t k = first; k < last; k++) {
        const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->expand, k, s->x_blocks * RM_BLOCK);
        const int64_t taps = s->kernel * s->kernel * RM_BLOCK;
        for (int64_t n = 0; n < m.blocks * taps; n += 16) /* wanted when the expansion is done */
            RM_PREFETCH(g->weights + s->dw_w + m.first * taps + n);
        if (s->fill == RM_FILL_COPY) {
            RM_NAME(copy_rows)(f, s, u, m.first, m.blocks, 0, s->u_h);
        } else {
            rm_pw run = {.a = g->work + s->x, .w = m.w, .b = m.b, .y = u, .at = g->tables + s->u_places,
                               .a_plane = s->x_h * s->x_w * RM_BLOCK, .y_plane = s->u_pitch * RM_BLOCK,
                               .blocks = s->x_blocks, .pixels = s->x_h * s->x_w, .act = (int)s->expand.act};
            RM_NAME(pw)(f, &run, m.blocks);
        }
        for (int64_t b = 0; b < m.blocks; b++)
            RM_NAME(depthwise)(f, s, u + b * s->u_pitch * RM_BLOCK, rows, m.first + b, 0, s->p,
                               v + (m.first + b) * s->p * s->q * RM_BLOCK);
    }
}

/* The means of all channels, and the squeezed layer: every thread for itself, in its scratch. */
static float *RM_NAME(squeezed)(rm_frame *f, const rm_step *s)
{
    const rm_program *g = f->program;
    float *mean = f->scratch + s->u, *small = mean + s->v_blocks * RM_BLOCK;
    const float share = 1.0f / (float)(s->p * s->q);
    for (int64_t b = 0; b < s->v_blocks; b++) {
        blk sum = blk_zero();
        for (int64_t p = 0; p < s->p; p++)
            sum = blk_add(sum, blk_load(g->work + s->sums + (p * s->v_blocks + b) * RM_BLOCK));
        blk_store(mean + b * RM_BLOCK, blk_mul(sum, blk_set(&share)));
    }
    for (int64_t k = 0; k < s->squeeze.panel_count; k++) {
        const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->squeeze, k, s->v_blocks * RM_BLOCK);
        rm_pw run = {.a = mean, .w = m.w, .b = m.b, .y = small + m.first * RM_BLOCK, .at = g->tables,
                           .a_plane = RM_BLOCK, .y_plane = RM_BLOCK, .blocks = s->v_blocks, .pixels = 1,
                           .act = (int)s->squeeze.act};
        RM_NAME(pw)(f, &run, m.blocks);
    }
    return small;
}

static void RM_NAME(step_scale)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    const float *small = first < last ? RM_NAME(squeezed)(f, s) : NULL;
    const int64_t plane = s->p * s->q;
    for (int64_t k = first; k < last; k++) {
        float gate[8 * RM_BLOCK];
        const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->excite, k, s->squeeze_blocks * RM_BLOCK);
        rm_pw run = {.a = small, .w = m.w, .b = m.b, .y = gate, .at = g->tables, .a_plane = RM_BLOCK,
                           .y_plane = RM_BLOCK, .blocks = s->squeeze_blocks, .pixels = 1, .act = (int)s->excite.act};
        RM_NAME(pw)(f, &run, m.blocks);
        for (int64_t b = 0; b < m.blocks; b++) {
            const blk factor = blk_load(gate + b * RM_BLOCK);
            float *v = g->work + s->v + (m.first + b) * plane * RM_BLOCK;
            for (int64_t k = 0; k < plane; k++)
                blk_store(v + k * RM_BLOCK, blk_mul(blk_load(v + k * RM_BLOCK), factor));
        }
    }
}

static void RM_NAME(step_point)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const int64_t pixels = s->p * s->q;
    for (int64_t k = first; k < last; k++)
        RM_NAME(product)(f, s, &s->project, k, f->program->work + s->v, pixels * RM_BLOCK, s->v_blocks, 0, pixels);
}

static void RM_NAME(step_split)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const float *a = f->program->work + s->v + first * RM_BLOCK;
    for (int64_t k = 0; k < s->project.panel_count && first < last; k++)
        RM_NAME(product)(f, s, &s->project, k, a, s->p * s->q * RM_BLOCK, s->v_blocks, first, last - first);
}

/* The sum of a block's plane: rows first. */
RM_INLINE blk RM_NAME(mean_sum)(const rm_step *s, const float *x)
{
    blk total = blk_zero();
    for (int64_t p = 0; p < s->p; p++) {
        blk sum = blk_zero();
        for (int64_t q = 0; q < s->q; q++, x += RM_BLOCK)
            sum = blk_add(sum, blk_load(x));
        total = blk_add(total, sum);
    }
    return total;
}

/* A panel's planes, kept or in the scratch, then the mean of each channel: rows first. */
static void RM_NAME(step_mean)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    const int64_t plane = s->p * s->q * RM_BLOCK;
    const float share = 1.0f / (float)(s->p * s->q);
    for (int64_t k = first; k < last; k++) {
        const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->project, k, s->v_blocks * RM_BLOCK);
        float *planes = s->planes < 0 ? f->scratch + s->u : g->work + s->planes + m.first * plane;
        rm_pw run = {.a = g->work + s->v, .w = m.w, .b = m.b, .y = planes, .at = g->tables,
                           .res = s->res < 0 ? NULL : g->work + s->res + m.first * plane, .a_plane = plane, .y_plane = plane, .blocks = s->v_blocks, .pixels = s->p * s->q,
                           .act = (int)s->project.act};
        RM_NAME(pw)(f, &run, m.blocks);
        for (int64_t b = 0; b < m.blocks; b++) {
            const blk total = RM_NAME(mean_sum)(s, planes + b * plane);
            blk_store(g->work + s->y + (m.first + b) * RM_BLOCK, blk_mul(total, blk_set(&share)));
        }
    }
}

static void RM_NAME(step_dense)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    for (int64_t k = first; k < last; k++) {
        float logits[8 * RM_BLOCK];
        const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->project, k, s->v_blocks * RM_BLOCK);
        rm_pw run = {.a = g->work + s->v, .w = m.w, .b = m.b, .y = logits, .at = g->tables, .a_plane = RM_BLOCK,
                           .y_plane = RM_BLOCK, .blocks = s->v_blocks, .pixels = 1, .act = (int)s->project.act};
        RM_NAME(pw)(f, &run, m.blocks);
        const int64_t from = m.first * RM_BLOCK, count = rm_least(g->classes - from, m.blocks * RM_BLOCK);
        memcpy(f->logits + from, logits, count * sizeof *logits);
    }
}
