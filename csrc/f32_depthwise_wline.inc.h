/* RM_K taps of RM_G kernel rows over one row of dy, for all blocks of channels given.
 * Included once for each pair. */
#define RM_WFMA(i, j) \
    if ((i) < RM_G && (j) < RM_K) { \
        const vec v = vec_load(x##i + (j) * x_tap); \
        vec_mac(&s##i##j, &d, &v); \
    }
#define RM_WTAP(j) \
    if ((j) < RM_K && (is_inner || (col + (j) * l->dilation >= 0 && col + (j) * l->dilation < l->W))) { \
        RM_WFMA(0, j) RM_WFMA(1, j) RM_WFMA(2, j) \
    }
#define RM_WADD(i, j) \
    if ((i) < RM_G && (j) < RM_K) \
        vec_store(t + ((i) * RM_K + (j)) * RM_LANES, vec_add(vec_load(t + ((i) * RM_K + (j)) * RM_LANES), s##i##j));
#define RM_WADD_ROW(i) RM_WADD(i, 0) RM_WADD(i, 1) RM_WADD(i, 2) RM_WADD(i, 3) RM_WADD(i, 4) RM_WADD(i, 5) RM_WADD(i, 6)
#define RM_WPIXELS(to, inner) \
    for (; q < (to); q++, x0 += step, x1 += step, x2 += step, dy += C) { \
        const int is_inner = (inner); \
        const int64_t col = l->s0 + q * l->stride; \
        const vec d = vec_load(dy); \
        (void)is_inner, (void)col; \
        RM_WTAP(0) RM_WTAP(1) RM_WTAP(2) RM_WTAP(3) RM_WTAP(4) RM_WTAP(5) RM_WTAP(6) \
    }

static void RM_WLINE(const RM_NAME(wline) *l)
{
    const vec z = vec_zero();
    const int64_t C = l->C, x_tap = l->x_tap, step = l->stride * C;
    float *t = l->total;
    for (int64_t c = l->c0; c < l->c1; c += RM_LANES, t += l->t_step) {
        const int64_t at = RM_NAME(block)(c, C);
        const float *dy = l->dy + at;
        const float *x0 = l->x + (l->x0 + l->s0 * C + at), *x1 = x0 + l->x_row, *x2 = x1 + l->x_row;
        vec s00 = z, s01 = z, s02 = z, s03 = z, s04 = z, s05 = z, s06 = z;
        vec s10 = z, s11 = z, s12 = z, s13 = z, s14 = z, s15 = z, s16 = z;
        vec s20 = z, s21 = z, s22 = z, s23 = z, s24 = z, s25 = z, s26 = z;
        int64_t q = 0;
        RM_WPIXELS(l->inner0, 0)
        RM_WPIXELS(l->inner1, 1)
        RM_WPIXELS(l->Q, 0)
        RM_WADD_ROW(0) RM_WADD_ROW(1) RM_WADD_ROW(2)
    }
}

#undef RM_WFMA
#undef RM_WTAP
#undef RM_WADD
#undef RM_WADD_ROW
#undef RM_WPIXELS
#undef RM_K
#undef RM_G
