/* Grouped convolutions of the engine: every group's outputs from its own input channels.
 *
 *   y[p,q,d] = b[d] + sum_{i,j,c} x[p*S + i - T, q*S + j - U, g*W + c] * w[i,j,c,d]             (1)
 *
 * d in group g, W channels of input a group.  A group's outputs are computed by parts of a few
 * blocks.  Where a group ends inside a block, both neighbours' parts compute that block, and
 * each keeps its own lanes of it: no channel meets a weight of another group, not even a 0.
 * With one group and a kernel of 1, (1) is a shortcut's projection; over a tensor with its zeros
 * around, the shortcut's step takes any kernel.
 *
 * Order     engine.h: by i, j, c, whatever the blocks, parts, pieces and tiles.
 */

/* A part, as the tables have it: its blocks, the lanes of them that are its group's, its
 * group's pieces, and how many blocks of weights lie before its own. */
typedef struct RM_NAME(part) {
    int64_t first, blocks, from, to, pieces, before;
} RM_NAME(part);

enum { RM_NAME(part_fields) = 6, RM_NAME(beside_pixels) = 24 };

static RM_NAME(part) RM_NAME(part_of)(const rm_program *g, const rm_step *s, int64_t k)
{
    const int32_t *at = g->tables + s->parts + RM_NAME(part_fields) * k;
    return (RM_NAME(part)){at[0], at[1], at[2], at[3], at[4], at[5]};
}

/* `pixels` of them in tiles whose sizes differ by one at most. */
static void RM_NAME(gc_tiled)(const rm_gc *r, int64_t blocks, int64_t pixels)
{
    const int64_t most = RM_NAME(most_pixels)(blocks, r->rows * r->piece_count * r->piece, RM_NAME(gc_pixels));
    const int64_t tiles = (pixels + most - 1) / most;
    const int64_t size = pixels / tiles, larger = pixels % tiles;
    if (larger)
        RM_NAME(gc_tiles)[blocks - 1][size](r, 0, larger);
    RM_NAME(gc_tiles)[blocks - 1][size - 1](r, larger * (size + 1), tiles - larger);
}

/* The lanes of `part` alone: computed beside their place, and copied. */
static void RM_NAME(gc_lanes)(const rm_gc *r, const RM_NAME(part) *part, int64_t pixels)
{
    float beside[3 * RM_NAME(beside_pixels) * RM_BLOCK];
    rm_gc run = *r;
    run.y = beside;
    run.y_plane = RM_NAME(beside_pixels) * RM_BLOCK;
    for (int64_t q = 0; q < pixels; q += RM_NAME(beside_pixels)) {
        const int64_t count = rm_least(pixels - q, RM_NAME(beside_pixels));
        run.pixels = r->pixels + q;
        RM_NAME(gc_tiled)(&run, part->blocks, count);
        for (int64_t n = 0; n < part->blocks; n++) {
            const int64_t from = rm_most(part->from - n * RM_BLOCK, 0), to = rm_least(part->to - n * RM_BLOCK, RM_BLOCK);
            for (int64_t k = 0; k < count; k++)
                memcpy(r->y + n * r->y_plane + (q + k) * RM_BLOCK + from, beside + n * run.y_plane + k * RM_BLOCK + from,
                       (to - from) * sizeof *beside);
        }
    }
}

/* Equation (1) for a part and `pixels` pixels from number `first` of the step's table of windows, whose rows lie at
 * u + row[i] and on; y is the first pixel's place in the part's first block. */
static void RM_NAME(grouped)(rm_frame *f, const rm_step *s, const RM_NAME(part) *part, const float *u, const int64_t *row,
                             int64_t first, int64_t pixels, float *y, int64_t y_plane)
{
    const rm_program *g = f->program;
    const float *w = g->weights + s->dw_w + part->before * s->depth * RM_BLOCK;
    const float *next = w + part->blocks * s->depth * RM_BLOCK; /* wanted soon where this part's work is done at once */
    const rm_gc run = {.u = u, .w = w, .ahead = next,
                       .ahead_end = s->kind != RM_STEP_BAND ? next + part->blocks * s->depth * RM_BLOCK : w, .b = g->weights + s->dw_b + part->first * RM_BLOCK, .pixels = g->tables + s->windows + first,
                       .pieces = g->tables + part->pieces, .row = row, .y = y, .y_plane = y_plane, .rows = s->kernel,
                       .piece_count = s->piece_count, .piece = s->piece, .act = (int)s->dw_act};
    if (part->from == 0 && part->to == part->blocks * RM_BLOCK)
        RM_NAME(gc_tiled)(&run, part->blocks, pixels);
    else
        RM_NAME(gc_lanes)(&run, part, pixels);
}

/* What follows once all lanes of a block are there, rows [p0, p1) of it from y: an activation of more than a
 * maximum, and the rows' sums where the step keeps them. */
static void RM_NAME(finished)(const rm_program *g, const rm_step *s, int64_t block, int64_t p0, int64_t p1, float *y)
{
    if (s->dw_act > RM_ACT_RELU6)
        RM_NAME(activate)((int)s->dw_act, (p1 - p0) * s->q, y);
    RM_NAME(row_sums)(g, s, block, p0, p1, y);
}

/* Rows [p0, p1) of v by the rows of a band's ring; row[k]: the rows under them.  Nothing without parts. */
static void RM_NAME(grouped_rows)(rm_frame *f, const rm_step *s, const float *u, const int64_t *row, int64_t p0, int64_t p1,
                                  float *v, int64_t v_plane)
{
    for (int64_t k = 0; k < s->part_count; k++) {
        const RM_NAME(part) part = RM_NAME(part_of)(f->program, s, k);
        float *y = v + part.first * v_plane;
        for (int64_t p = p0; p < p1; p++, y += s->q * RM_BLOCK)
            RM_NAME(grouped)(f, s, &part, u, row + (p - p0) * s->stride, 0, s->q, y, v_plane);
    }
    for (int64_t b = 0; b < s->v_blocks && s->part_count; b++)
        RM_NAME(finished)(f->program, s, b, p0, p1, v + b * v_plane);
}

/* The expansion of a chunk, the rows that output rows [p0, p1) read, to their places in u. */
static void RM_NAME(expand_chunk)(rm_frame *f, const rm_step *s, const int32_t *chunk, int64_t p0, int64_t p1, float *u)
{
    const rm_program *g = f->program;
    const int64_t pitch = s->u_pitch * RM_BLOCK, r0 = rm_most(p0 * s->stride - s->top, 0);
    const int64_t r1 = rm_least((p1 - 1) * s->stride - s->top + s->kernel, s->x_h);
    for (int64_t k = chunk[2]; k < chunk[2] + chunk[3] && r0 < r1; k++) {
        const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->expand, k, s->x_blocks * RM_BLOCK);
        rm_pw run = {.a = g->work + s->x + r0 * s->x_w * RM_BLOCK, .w = m.w, .b = m.b, .y = u + (m.first - chunk[0]) * pitch,
                     .at = g->tables + s->u_places + r0 * s->x_w, .a_plane = s->x_h * s->x_w * RM_BLOCK, .y_plane = pitch,
                     .blocks = s->x_blocks, .pixels = (r1 - r0) * s->x_w, .act = (int)s->expand.act};
        RM_NAME(pw)(f, &run, m.blocks);
    }
}

/* A chunk is some groups that fill their blocks, a unit a row of its output, all rows of a chunk in turn: a thread
 * has whole chunks but where its units begin and end.  A chunk's expansion lies between zeros; then its parts. */
static void RM_NAME(step_groups)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    float *u = f->scratch + s->u;
    const int64_t slot = RM_NAME(slot)(s), plane = s->p * s->q * RM_BLOCK;
    int64_t row[RM_REACH];
    for (int64_t i = 0; i < s->kernel; i++)
        row[i] = i * slot;
    if (first < last)
        memset(u, 0, s->u_slots * slot * sizeof *u);
    for (int64_t unit = first, next; unit < last; unit = next) {
        const int64_t k = unit / s->p, p0 = unit % s->p, p1 = rm_least(last - k * s->p, s->p), at = p0 * s->q;
        const int32_t *chunk = g->tables + s->chunks + 6 * k; /* blocks, panels, parts: the first, and how many */
        float *v = g->work + s->v + at * RM_BLOCK;
        const RM_NAME(part) before = RM_NAME(part_of)(g, s, chunk[4]);
        const int64_t asked = unit == first ? chunk[1] * s->depth * RM_BLOCK : 0;
        for (int64_t n = 0; n < asked; n += 16) /* wanted when the expansion is done; the later ones ask ahead */
            RM_PREFETCH(g->weights + s->dw_w + before.before * s->depth * RM_BLOCK + n);
        RM_NAME(expand_chunk)(f, s, chunk, p0, p1, u);
        for (int64_t e = chunk[4]; e < chunk[4] + chunk[5]; e++) {
            const RM_NAME(part) part = RM_NAME(part_of)(g, s, e);
            RM_NAME(grouped)(f, s, &part, u, row, at, (p1 - p0) * s->q, v + part.first * plane, plane);
        }
        for (int64_t b = chunk[0]; b < chunk[0] + chunk[1]; b++)
            RM_NAME(finished)(g, s, b, p0, p1, v + b * plane);
        next = k * s->p + p1;
    }
}

/* Rows [p0, p1) of part k of a shortcut. */
static void RM_NAME(shortcut_rows)(rm_frame *f, const rm_step *s, int64_t k, int64_t p0, int64_t p1)
{
    const rm_program *g = f->program;
    const int64_t plane = s->p * s->q * RM_BLOCK, at = p0 * s->q;
    int64_t row[RM_REACH];
    for (int64_t i = 0; i < s->kernel; i++)
        row[i] = i * s->x_w * RM_BLOCK;
    const RM_NAME(part) part = RM_NAME(part_of)(g, s, k);
    RM_NAME(grouped)(f, s, &part, g->work + s->x, row, at, (p1 - p0) * s->q,
                     g->work + s->y + part.first * plane + at * RM_BLOCK, plane);
}

/* A unit is a row of a part, all rows of a part in turn; or, where the step has so few units, a row of all parts,
 * a few rows at a time, so that what they read is still in the first caches for the next part. */
static void RM_NAME(step_shortcut)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const int is_by_rows = s->units == s->p;
    for (int64_t unit = first, next; unit < last; unit = next) {
        const int64_t k = unit / s->p, p = unit % s->p;
        next = rm_least(is_by_rows ? unit + s->rows : (k + 1) * s->p, last);
        for (int64_t part = k; part < (is_by_rows ? s->part_count : k + 1); part++)
            RM_NAME(shortcut_rows)(f, s, part, p, p + next - unit);
    }
}
