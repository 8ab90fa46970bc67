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

/* Zeros where no row of the image is copied to. */
static void RM_NAME(clear_lines)(rm_frame *f, const rm_step *s)
{
    memset(f->scratch + s->stem_lines, 0, (s->stem_kernel + 1) * s->stem_pitch * sizeof *f->scratch);
}

/* One row of the stem's output, from rows of a padded image. */
static void RM_NAME(stem_row)(const rm_program *g, const rm_step *s, rm_stem *r, float *y, int64_t count)
{
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

/* Rows [r0, r1) of the stem's output.  The image's rows are copied between zeros, each once: then no window is
 * at an end.  Row r of the output goes to slot r % slots. */
static void RM_NAME(stem_rows)(rm_frame *f, const rm_step *s, int64_t r0, int64_t r1, int64_t width, float *y,
                               int64_t slots, int64_t y_slot, int64_t y_plane)
{
    const rm_program *g = f->program;
    const int64_t K = s->stem_kernel, S = s->stem_stride, pitch = s->stem_pitch, row = g->image_w * 3;
    float *lines = f->scratch + s->stem_lines, *zeros = lines + K * pitch;
    rm_stem run = {.x_step = s->stem_stride_w * 3, .rows = K, .columns = K * 3, .y_plane = y_plane, .act = (int)s->expand.act};
    for (int64_t r = r0, next = rm_most(r0 * S - s->stem_top, 0); r < r1; r++) {
        const int64_t begin = r * S - s->stem_top, end = rm_least(begin + K, g->image_h);
        for (next = rm_most(next, begin); next < end; next++)
            memcpy(lines + next % K * pitch + s->stem_left * 3, f->image + next * row, row * sizeof *lines);
        for (int64_t i = 0; i < K; i++) {
            const int64_t h = begin + i;
            run.x[i] = h < 0 || h >= g->image_h ? zeros : lines + h % K * pitch;
        }
        RM_NAME(stem_row)(g, s, &run, y + r % slots * y_slot, width);
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
        RM_NAME(stem_rows)(f, s, r0, r1, s->u_w, u + s->left * RM_BLOCK, s->u_slots, RM_NAME(slot)(s),
                           s->u_pitch * RM_BLOCK);
}
