/* Equation (2) for 3 x 3 taps at stride 2: two rows of dx at once.
 *
 * Row 2p + 1 - T of dx takes tap row 1 of row p of dy, the next one tap rows 2 of row p and
 * 0 of row p + 1; the columns alike.  So a square of four pixels of dy gives a square of
 * four of dx by the nine taps, which stay in registers, and dy is loaded once for all four
 * phases.  Rows whose pair is not all inside are left to the sweep.
 */

/* Pixels of dy that are walked before the next block of channels, times channels; measured. */
enum { RM_NAME(spread_strip) = 512, RM_NAME(spread_least) = 10 };

#define RM_SPREAD_MAC(sum, i, j, pixel, is_there) \
    if (is_there) \
        vec_mac(&sum, &pixel, &w##i##j);
/* Column q of dy (d) and q + 1 (e), rows p (0) and p + 1 (1), to columns 2q + 1 - U (s) and
 * 2q + 2 - U (t) of both rows of dx.  The conditions: what lies inside. */
#define RM_SPREAD(has_d, has_e, has_s, has_t) \
    { \
        vec s0 = vec_zero(), s1 = s0, t0 = s0, t1 = s0, e0 = s0, e1 = s0; \
        if (has_e) \
            e0 = vec_load(dy + (in + C)), e1 = vec_load(dy + (in + dy_row + C)); \
        RM_SPREAD_MAC(s0, 1, 1, d0, has_d) \
        RM_SPREAD_MAC(t0, 1, 2, d0, has_d) RM_SPREAD_MAC(t0, 1, 0, e0, has_e) \
        RM_SPREAD_MAC(s1, 2, 1, d0, has_d) RM_SPREAD_MAC(s1, 0, 1, d1, has_d) \
        RM_SPREAD_MAC(t1, 2, 2, d0, has_d) RM_SPREAD_MAC(t1, 2, 0, e0, has_e) \
        RM_SPREAD_MAC(t1, 0, 2, d1, has_d) RM_SPREAD_MAC(t1, 0, 0, e1, has_e) \
        if (has_s) { \
            vec_store(dx + out, s0); \
            vec_store(dx + (out + dx_row), s1); \
        } \
        if (has_t) { \
            vec_store(dx + (out + C), t0); \
            vec_store(dx + (out + dx_row + C), t1); \
        } \
        d0 = e0, d1 = e1; \
        in += C, out += 2 * C; \
    }
#define RM_SPREAD_EDGE RM_SPREAD(q >= 0 && q < Q, q + 1 < Q, 2 * q + 1 >= U, 2 * q + 2 < W + U)

/* Rows p and p + 1 of dy, columns from <= q < to, to rows r and r + 1 of dx. */
static void RM_NAME(spread)(const RM_NAME(plane) *a, int64_t p, int64_t r, int64_t from, int64_t to,
                            int64_t c0, int64_t c1)
{
    const int64_t C = a->C, Q = a->cols->in_size, W = a->cols->out_size, U = a->cols->before;
    const int64_t dy_row = Q * C, dx_row = W * C;
    const int64_t inner0 = rm_most(from, U / 2), inner1 = rm_least(to, rm_least(Q - 1, (W + U - 1) / 2));
    const float *dy = a->x;
    float *dx = a->y;
    for (int64_t c = c0; c < c1; c += RM_LANES) {
        const int64_t at = RM_NAME(block)(c, C);
        const float *w = a->w + at;
        const vec w00 = vec_load(w), w01 = vec_load(w + C), w02 = vec_load(w + 2 * C);
        const vec w10 = vec_load(w + 3 * C), w11 = vec_load(w + 4 * C), w12 = vec_load(w + 5 * C);
        const vec w20 = vec_load(w + 6 * C), w21 = vec_load(w + 7 * C), w22 = vec_load(w + 8 * C);
        int64_t q = from, in = (p * Q + q) * C + at, out = (r * W + 2 * q + 1 - U) * C + at;
        vec d0 = vec_zero(), d1 = d0;
        if (q >= 0 && q < Q)
            d0 = vec_load(dy + in), d1 = vec_load(dy + (in + dy_row));
        for (; q < rm_least(inner0, to); q++)
            RM_SPREAD_EDGE
        for (; q < inner1; q++)
            RM_SPREAD(1, 1, 1, 1)
        for (; q < to; q++)
            RM_SPREAD_EDGE
    }
}

static int RM_NAME(is_spread)(const RM_NAME(plane) *a)
{
    const rm_axis *rows = a->rows, *cols = a->cols;
    return rows->is_backward && rows->stride == 2 && rows->dilation == 1 && rows->kernel == 3 && cols->kernel == 3
        && a->C >= RM_LANES;
}

/* All rows, for channels c0..c1; rows without their pair by the phases of the columns. */
static void RM_NAME(spread_rows)(const RM_NAME(plane) *a, const rm_phase *cols, int64_t phases, int64_t c0, int64_t c1)
{
    const int64_t T = a->rows->before, U = a->cols->before, end = (a->cols->out_size + U) / 2;
    const int64_t strip = rm_most(RM_NAME(spread_strip) / (c1 - c0), RM_NAME(spread_least));
    for (int64_t r = 0, done; r < a->rows->out_size; r += done) {
        const int64_t p = (r + T - 1) / 2;
        done = (r + T) % 2 && p + 1 < a->rows->in_size && r + 1 < a->rows->out_size ? 2 : 1;
        if (done == 2) {
            for (int64_t q = (U + 1) / 2 - 1; q < end; q += strip)
                RM_NAME(spread)(a, p, r, q, rm_least(q + strip, end), c0, c1);
        } else {
            const rm_phase row = rm_phase_of(a->rows, r % 2);
            RM_NAME(sweep_row)(a, &row, r / 2, cols, phases, c0, c1);
        }
    }
}

#undef RM_SPREAD_MAC
#undef RM_SPREAD
#undef RM_SPREAD_EDGE
