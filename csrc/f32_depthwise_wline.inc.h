/* RM_K taps of RM_G kernel rows over one row of dy.  Included once for each pair. */
#define RM_WFMA(i, j) \
    if ((i) < RM_G && (j) < RM_K) \
        s##i##j = vec_fma(d, vec_load(x + ((i) * l->x_row + (j) * l->x_tap)), s##i##j);
#define RM_WTAP(j) \
    if ((j) < RM_K && (is_inner || (col + (j) * l->dilation >= 0 && col + (j) * l->dilation < l->W))) { \
        const float *x = l->x + (l->x0 + col * l->C); \
        RM_WFMA(0, j) RM_WFMA(1, j) RM_WFMA(2, j) \
    }
#define RM_WADD(i, j) \
    if ((i) < RM_G && (j) < RM_K) \
        vec_store(t + ((i) * RM_K + (j)) * RM_LANES, vec_add(vec_load(t + ((i) * RM_K + (j)) * RM_LANES), s##i##j));
#define RM_WADD_ROW(i) RM_WADD(i, 0) RM_WADD(i, 1) RM_WADD(i, 2) RM_WADD(i, 3) RM_WADD(i, 4) RM_WADD(i, 5) RM_WADD(i, 6)
#define RM_WPIXELS(from, to, inner) \
    for (int64_t q = (from); q < (to); q++) { \
        const int is_inner = (inner); \
        const int64_t col = l->s0 + q * l->stride; \
        const vec d = vec_load(l->dy + q * l->C); \
        (void)is_inner; \
        RM_WTAP(0) RM_WTAP(1) RM_WTAP(2) RM_WTAP(3) RM_WTAP(4) RM_WTAP(5) RM_WTAP(6) \
    }

static void RM_WLINE(const RM_NAME(wline) *l)
{
    const vec z = vec_zero();
    vec s00 = z, s01 = z, s02 = z, s03 = z, s04 = z, s05 = z, s06 = z;
    vec s10 = z, s11 = z, s12 = z, s13 = z, s14 = z, s15 = z, s16 = z;
    vec s20 = z, s21 = z, s22 = z, s23 = z, s24 = z, s25 = z, s26 = z;
    RM_WPIXELS(0, l->inner0, 0)
    RM_WPIXELS(l->inner0, l->inner1, 1)
    RM_WPIXELS(l->inner1, l->Q, 0)
    float *t = l->total;
    RM_WADD_ROW(0) RM_WADD_ROW(1) RM_WADD_ROW(2)
}

#undef RM_WFMA
#undef RM_WTAP
#undef RM_WADD
#undef RM_WADD_ROW
#undef RM_WPIXELS
#undef RM_K
#undef RM_G
