/* Steps without weights: what a network of cells has beside its convolutions.
 *
 *   t[p,q] = pool over x[p*S + i - T, q*Z + j - U], i, j < K, inside the image                 (1)
 *   y[p,q] = act(t[p,q] * g + z[p,q])                                                          (2)
 *
 * S the stride of rows, Z of columns; g a number for each channel, z another tensor: each where the step has it.  pool is the
 * largest, or the sum from 0 by i, then j, times 1/m rounded, m the pixels of the window that
 * lie in the image, or K*K; or nothing with K = 1, and then 0 outside the image: T and U below 0
 * move the image up and left, above 0 they put zeros around it.
 *
 * Order     each operation of (1) and (2) rounded once, as they stand there.
 * Reads     pixels of x inside the image alone.
 */

/* The taps [i0, i1) x [j0, j1) of a window whose pixel (0, 0) would lie at x. */
RM_INLINE blk RM_NAME(pooled)(int is_most, const float *x, int64_t row, int64_t i0, int64_t i1, int64_t j0, int64_t j1)
{
    blk total = is_most ? blk_load(x + i0 * row + j0 * RM_BLOCK) : blk_zero();
    for (int64_t i = i0; i < i1; i++)
        for (int64_t j = j0; j < j1; j++) {
            const blk v = blk_load(x + i * row + j * RM_BLOCK);
            total = is_most ? blk_max(total, v) : blk_add(total, v);
        }
    return total;
}

/* Equation (1) for row p of a block's plane x. */
RM_INLINE void RM_NAME(pool_row)(int is_most, const rm_step *s, const float *x, int64_t p, float *y)
{
    const int64_t K = s->kernel, row = s->x_w * RM_BLOCK, begin = p * s->stride - s->top;
    const int64_t i0 = rm_most(-begin, 0), i1 = rm_least(s->x_h - begin, K);
    const int is_row_inside = K == 3 && i1 - i0 == 3;
    const float whole = 1.0f / (float)(K * K);
    for (int64_t q = 0; q < s->q; q++) {
        const int64_t left = q * s->stride_w - s->left, j0 = rm_most(-left, 0), j1 = rm_least(s->x_w - left, K);
        const float *at = x + begin * row + left * RM_BLOCK;
        const blk total = is_row_inside && j1 - j0 == 3 ? RM_NAME(pooled)(is_most, at, row, 0, 3, 0, 3)
                                                        : RM_NAME(pooled)(is_most, at, row, i0, i1, j0, j1);
        if (is_most) {
            blk_store(y + q * RM_BLOCK, total);
        } else {
            const int64_t m = s->pool == RM_POOL_MEAN_PADDED ? K * K : (i1 - i0) * (j1 - j0);
            const float share = m == K * K ? whole : 1.0f / (float)m;
            blk_store(y + q * RM_BLOCK, blk_mul(total, blk_set(&share)));
        }
    }
}

/* Row p of a block's plane x, moved; zeros outside. */
static void RM_NAME(moved_row)(const rm_step *s, const float *x, int64_t p, float *y)
{
    const int64_t r = p - s->top, first = rm_least(rm_most(s->left, 0), s->q), end = rm_least(s->x_w + s->left, s->q);
    if (r < 0 || r >= s->x_h || first >= end) {
        memset(y, 0, s->q * RM_BLOCK * sizeof *y);
        return;
    }
    memset(y, 0, first * RM_BLOCK * sizeof *y);
    memmove(y + first * RM_BLOCK, x + (r * s->x_w + first - s->left) * RM_BLOCK, (end - first) * RM_BLOCK * sizeof *y);
    memset(y + end * RM_BLOCK, 0, (s->q - end) * RM_BLOCK * sizeof *y);
}

/* Equation (2) of the row t, into y; the two may be one. */
RM_INLINE void RM_NAME(finished_row)(int act, const float *t, const float *gate, const float *res, int64_t pixels, float *y)
{
    for (int64_t q = 0; q < pixels; q++) {
        blk v = blk_load(t + q * RM_BLOCK);
        if (gate)
            v = blk_mul(v, blk_load(gate));
        if (res)
            v = blk_add(v, blk_load(res + q * RM_BLOCK));
        blk_store(y + q * RM_BLOCK, RM_NAME(act)(act, v));
    }
}

/* A unit is a row of a block, all rows of a block in turn. */
static void RM_NAME(step_window)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    const int act = s->dw_act <= RM_ACT_RELU6 ? (int)s->dw_act : RM_ACT_IDENTITY;
    const int is_plain = s->pool == RM_POOL_NONE && !s->top && !s->left && s->p == s->x_h && s->q == s->x_w;
    for (int64_t unit = first; unit < last; unit++) {
        const int64_t block = unit / s->p, p = unit % s->p, at = unit * s->q * RM_BLOCK;
        const float *x = g->work + s->x + block * s->x_h * s->x_w * RM_BLOCK, *t = x + p * s->x_w * RM_BLOCK;
        const float *gate = s->gate < 0 ? NULL : g->work + s->gate + block * RM_BLOCK;
        const float *res = s->res < 0 ? NULL : g->work + s->res + at;
        float *y = g->work + s->y + at;
        if (!is_plain) {
            if (s->pool == RM_POOL_NONE)
                RM_NAME(moved_row)(s, x, p, y);
            else if (s->pool == RM_POOL_MOST)
                RM_NAME(pool_row)(1, s, x, p, y);
            else
                RM_NAME(pool_row)(0, s, x, p, y);
            t = y;
        }
        if (act == RM_ACT_RELU)
            RM_NAME(finished_row)(RM_ACT_RELU, t, gate, res, s->q, y);
        else if (act == RM_ACT_RELU6)
            RM_NAME(finished_row)(RM_ACT_RELU6, t, gate, res, s->q, y);
        else if (gate || res || t != y)
            RM_NAME(finished_row)(RM_ACT_IDENTITY, t, gate, res, s->q, y);
        if (s->dw_act > RM_ACT_RELU6)
            RM_NAME(activate)((int)s->dw_act, s->q, y);
    }
}

/* The mean of every channel of a stored tensor; a unit is a block. */
static void RM_NAME(step_average)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    const float share = 1.0f / (float)(s->p * s->q);
    for (int64_t b = first; b < last; b++) {
        const blk total = RM_NAME(mean_sum)(s, g->work + s->x + b * s->p * s->q * RM_BLOCK);
        float *y = g->work + s->y + b * RM_BLOCK;
        blk_store(y, blk_mul(total, blk_set(&share)));
        RM_NAME(activate)((int)s->dw_act, 1, y);
    }
}

/* Channels to other lanes; a unit is a row of all blocks.  A run is five numbers: block and lane that it comes
 * from, block and lane that it goes to, and how many lanes it has. */
static void RM_NAME(step_lanes)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const rm_program *g = f->program;
    const int64_t plane = s->p * s->q * RM_BLOCK, row = s->q * RM_BLOCK;
    for (int64_t p = first; p < last; p++) {
        const float *x = g->work + s->x + p * row;
        float *y = g->work + s->y + p * row;
        for (int64_t b = 0; b < s->v_blocks; b++)
            memset(y + b * plane, 0, row * sizeof *y);
        for (int64_t k = 0; k < s->part_count; k++) {
            const int32_t *run = g->tables + s->parts + 5 * k;
            const float *from = x + run[0] * plane + run[1];
            float *to = y + run[2] * plane + run[3];
            for (int64_t q = 0; q < s->q; q++)
                memcpy(to + q * RM_BLOCK, from + q * RM_BLOCK, run[4] * sizeof *y);
        }
    }
}

/* The numbers v of all classes as shares:
 *
 *   e[k] = e^(v[k] - max v),   y[k] = e[k] / sum e                                             (3)
 *
 * The difference and e in float32, as activations are; the sum a chain of additions by class from 0 and the quotient
 * in float64, then rounded once: a sum of thousands of classes is as exact as its terms.  A NaN, or an infinity
 * above all others, makes every share NaN. */
static void RM_NAME(step_softmax)(rm_frame *f, const rm_step *s, int64_t first, int64_t last)
{
    const int64_t classes = f->program->classes;
    const float *v = f->program->work + s->v;
    float *e = f->scratch + s->u, most = v[0];
    double total = 0;
    if (first == last)
        return;
    for (int64_t k = 1; k < classes; k++)
        most = v[k] > most ? v[k] : most;
    for (int64_t b = 0; b < s->v_blocks; b++) {
        float *at = e + b * RM_BLOCK;
        blk_store(at, RM_NAME(fma)(blk_load(v + b * RM_BLOCK), RM_NAME(constant)(RM_MINUS_ONE), blk_set(&most)));
        blk_store(at, RM_NAME(exp_of_minus)(at));
    }
    for (int64_t k = 0; k < classes; k++) {
        const float above = v[k] - most;
        total += above == above ? e[k] : above;
    }
    for (int64_t k = 0; k < classes; k++)
        f->logits[k] = (float)(e[k] / total);
}
