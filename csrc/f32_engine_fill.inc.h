/* What stands before a depthwise convolution: rows of u, from the image, a product or a copy.
 *
 * u is a ring [slot][block][u_pitch][RM_BLOCK]: row r lies in slot r % u_slots, pixel q
 * `left` pixels behind its beginning.  The pixels before and after a row, and all of the
 * slot behind the last one, are 0: the padding.
 */

static int64_t RM_NAME(slot)(const rm_step *s) { return s->u_blocks * s->u_pitch * RM_BLOCK; }

/* Zeros where a fill never writes. */
static void RM_NAME(clear_borders)(const rm_step *s, float *u)
{
    const int64_t row = s->u_pitch * RM_BLOCK, before = s->left * RM_BLOCK, inside = s->u_w * RM_BLOCK;
    for (int64_t k = 0; k < s->u_slots * s->u_blocks; k++, u += row) {
        memset(u, 0, before * sizeof *u);
        memset(u + before + inside, 0, (row - before - inside) * sizeof *u);
    }
    memset(u, 0, RM_NAME(slot)(s) * sizeof *u);
}

/* Pixels [q0, q1) of one row, all inside the image, from the row pointers given. */
static void RM_NAME(stem_pixels_of)(rm_frame *f, const rm_step *s, rm_stem *r, float *y, int64_t count)
{
    const rm_program *g = f->program;
    for (int64_t k = 0; k < s->expand.panel_count; k++) {
        const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->expand, k, s->expand.depth);
        const int64_t most = RM_NAME(stem_pixels)[m.blocks - 1], tiles = (count + most - 1) / most;
        const int64_t size = count / tiles, larger = count % tiles;
        r->w = m.w;
        r->b = m.b;
        r->y = y + m.first * r->y_plane;
        if (larger)
            RM_NAME(stem_tiles)[m.blocks - 1][size](r, 0, larger);
        RM_NAME(stem_tiles)[m.blocks - 1][size - 1](r, larger * (size + 1), tiles - larger);
        if (r->act > RM_ACT_RELU6)
            for (int64_t n = 0; n < m.blocks; n++)
                RM_NAME(activate)(r->act, count, r->y + n * r->y_plane);
    }
}

/* Row r of the stem's output: the windows at the left and right end through a padded copy. */
static void RM_NAME(stem_row)(rm_frame *f, const rm_step *s, int64_t r, int64_t width, float *y, int64_t y_plane)
{
    const rm_program *g = f->program;
    const int64_t K = s->stem_kernel, S = s->stem_stride, left = s->stem_left, W = g->image_w;
    const float *zeros = g->work + g->zeros, *rows[RM_STEM_ROWS];
    for (int64_t i = 0; i < K; i++) {
        const int64_t h = r * S - s->stem_top + i;
        rows[i] = h < 0 || h >= g->image_h ? zeros : f->image + h * W * 3;
    }
    const int64_t inner0 = rm_least((left + S - 1) / S, width);
    const int64_t inner1 = W + left < K ? inner0 : rm_most(rm_least((W + left - K) / S + 1, width), inner0);
    rm_stem run = {.x_step = S * 3, .rows = K, .columns = K * 3, .y_plane = y_plane, .act = (int)s->expand.act};
    for (int64_t q = 0; q < width; q++) {
        if (q == inner0 && inner1 > inner0) {
            for (int64_t i = 0; i < K; i++)
                run.x[i] = rows[i] + (q * S - left) * 3;
            RM_NAME(stem_pixels_of)(f, s, &run, y + q * RM_BLOCK, inner1 - inner0);
            q = inner1 - 1;
            continue;
        }
        float window[RM_STEM_ROWS * RM_STEM_ROWS * 3];
        for (int64_t i = 0; i < K; i++) {
            for (int64_t j = 0; j < K * 3; j++) {
                const int64_t w = q * S - left + j / 3;
                window[i * K * 3 + j] = w < 0 || w >= W ? 0 : rows[i][w * 3 + j % 3];
            }
            run.x[i] = window + i * K * 3;
        }
        RM_NAME(stem_pixels_of)(f, s, &run, y + q * RM_BLOCK, 1);
    }
}

/* Rows [r0, r1) of u for the blocks [b0, b0 + count): the expansion's panel k, or a copy of x. */
static void RM_NAME(expand_rows)(rm_frame *f, const rm_step *s, float *u, int64_t k, int64_t r0, int64_t r1)
{
    const rm_program *g = f->program;
    const RM_NAME(panel) m = RM_NAME(panel_of)(g, &s->expand, k, s->x_blocks * RM_BLOCK);
    const int64_t pitch = s->u_pitch * RM_BLOCK, row = s->x_w * RM_BLOCK;
    for (int64_t r = r0; r < r1; r++) {
        rm_pw run = {.a = g->work + s->x + r * row, .w = m.w, .b = m.b,
                           .y = u + r % s->u_slots * RM_NAME(slot)(s) + m.first * pitch + s->left * RM_BLOCK,
                           .at = g->tables, .a_plane = s->x_h * row, .y_plane = pitch, .blocks = s->x_blocks,
                           .pixels = s->u_w, .act = (int)s->expand.act};
        RM_NAME(pw)(f, &run, m.blocks);
    }
}

static void RM_NAME(copy_rows)(rm_frame *f, const rm_step *s, float *u, int64_t b0, int64_t count, int64_t r0,
                               int64_t r1)
{
    const int64_t row = s->x_w * RM_BLOCK, pitch = s->u_pitch * RM_BLOCK;
    const float *x = f->program->work + s->x;
    for (int64_t r = r0; r < r1; r++)
        for (int64_t b = 0; b < count; b++)
            memcpy(u + r % s->u_slots * RM_NAME(slot)(s) + b * pitch + s->left * RM_BLOCK,
                   x + ((b0 + b) * s->x_h + r) * row, row * sizeof *x);
}

/* Rows [r0, r1) of u, all its blocks. */
static void RM_NAME(fill_rows)(rm_frame *f, const rm_step *s, float *u, int64_t r0, int64_t r1)
{
    if (s->fill == RM_FILL_COPY)
        RM_NAME(copy_rows)(f, s, u, 0, s->u_blocks, r0, r1);
    else if (s->fill == RM_FILL_EXPAND)
        for (int64_t k = 0; k < s->expand.panel_count; k++)
            RM_NAME(expand_rows)(f, s, u, k, r0, r1);
    else
        for (int64_t r = r0; r < r1; r++)
            RM_NAME(stem_row)(f, s, r, s->u_w, u + r % s->u_slots * RM_NAME(slot)(s) + s->left * RM_BLOCK,
                              s->u_pitch * RM_BLOCK);
}
