/* RM_K taps of RM_G kernel rows over one row of dy, for all blocks of channels given, and
 * the row's own sum.  RM_DENSE: three taps at stride 1, not dilated.
 * Included once for each triple. */
#define RM_WFMA(i, j) \
    if ((i) < RM_G && (j) < RM_K) { \
        const vec v = vec_load(x##i + (j) * x_tap); \
        vec_mac(&s##i##j, &d, &v); \
    }
#define RM_WTAP(j) \
    if ((j) < RM_K && (is_inner || (col + (j) * l->dilation >= 0 && col + (j) * l->dilation < l->W))) { \
        RM_WFMA(0, j) RM_WFMA(1, j) RM_WFMA(2, j) \
    }
#define RM_WTAPS RM_WTAP(0) RM_WTAP(1) RM_WTAP(2) RM_WTAP(3) RM_WTAP(4) RM_WTAP(5) RM_WTAP(6)
#define RM_WAT(i, j) (((i) * RM_K + (j)) * RM_LANES)
#define RM_WTAKE(i, j) s##i##j = vec_load(u + RM_WAT(i, j));
#define RM_WKEEP(i, j) vec_store(u + RM_WAT(i, j), s##i##j);
#define RM_WADD(i, j) vec_store(t + RM_WAT(i, j), vec_add(vec_load(t + RM_WAT(i, j)), s##i##j));
#define RM_WEACH(what, i, j) \
    if ((i) < RM_G && (j) < RM_K) { \
        RM_W##what(i, j) \
    }
#define RM_WROW(what, i) \
    RM_WEACH(what, i, 0) RM_WEACH(what, i, 1) RM_WEACH(what, i, 2) RM_WEACH(what, i, 3) \
    RM_WEACH(what, i, 4) RM_WEACH(what, i, 5) RM_WEACH(what, i, 6)
/* Dense: a column of x, loaded once, meets the pixels of dy that reach it, by tap 0 (d), 1 (e)
 * and 2 (f); at both ends some of them do not exist. */
#define RM_WMEET(i, has_d, has_e, has_f) \
    if ((i) < RM_G) { \
        const vec v = vec_load(x##i); \
        if (has_d) \
            vec_mac(&s##i##0, &d, &v); \
        if (has_e) \
            vec_mac(&s##i##1, &e, &v); \
        if (has_f) \
            vec_mac(&s##i##2, &f, &v); \
    }
#define RM_WNEXT f = e, e = d, x0 += C, x1 += C, x2 += C, dy += C;
#define RM_WCOLUMN(has_d, has_e, has_f) \
    { \
        if (has_d) { \
            d = vec_load(dy); \
            sum = vec_add(d, sum); \
        } \
        RM_WMEET(0, has_d, has_e, has_f) RM_WMEET(1, has_d, has_e, has_f) RM_WMEET(2, has_d, has_e, has_f) \
        RM_WNEXT \
    }
/* Pixels q..last, of which the first lacks tap 0, whose column is outside, if `lacks0`, and the
 * last tap 2 if `lacks2`. */
#define RM_WCOLUMNS(lacks0, lacks2) \
    { \
        vec d = vec_load(dy), e = d, f = d; \
        if (lacks0) { \
            sum = vec_add(d, sum); \
            RM_WNEXT \
        } else { \
            RM_WCOLUMN(1, 0, 0) \
        } \
        RM_WCOLUMN(1, 1, 0) \
        for (q += 2; q < last; q++) \
            RM_WCOLUMN(1, 1, 1) \
        RM_WCOLUMN(0, 1, 1) \
        if (!(lacks2)) { \
            RM_WMEET(0, 0, 0, 1) RM_WMEET(1, 0, 0, 1) RM_WMEET(2, 0, 0, 1) \
        } \
        x0 -= C, x1 -= C, x2 -= C, dy -= C; \
    }
/* With 15 accumulators there is a register for dy and none for its sum. */
#define RM_HAS_BIAS (RM_K * RM_G < 15)

static void RM_WLINE(const RM_NAME(wline) *l)
{
    float state[RM_NAME(weight_channels) * (RM_K * RM_G + 1)]; /* unfinished sums of each block: a row is walked in strips */
    const int64_t C = l->C, x_tap = l->x_tap, step = l->stride * C;
    for (int64_t from = 0, to; from < l->Q; from = to) {
        to = l->Q - from < 2 * l->strip ? l->Q : from + l->strip;
        const int64_t inner0 = l->inner0;
        const int lacks0 = from == 0 && l->s0 == -1, lacks2 = to == l->Q && l->s0 + l->Q + 1 == l->W;
        const int64_t first = lacks0 ? 0 : inner0, last = lacks2 ? to : rm_least(to, l->inner1);
        const uint64_t inner = (uint64_t)(l->inner1 - l->inner0);
        float *t = l->total, *bias = l->bias, *u = state;
        for (int64_t c = l->c0; c < l->c1; c += RM_LANES, t += l->t_step, u += (RM_K * RM_G + 1) * RM_LANES) {
            const int64_t at = RM_NAME(block)(c, C) + from * step;
            const float *dy = l->dy + (RM_NAME(block)(c, C) + from * C);
            const float *x0 = l->x + (l->x0 + l->s0 * C + at), *x1 = x0 + l->x_row, *x2 = x1 + l->x_row;
            vec s00 = vec_zero(), s01 = s00, s02 = s00, s03 = s00, s04 = s00, s05 = s00, s06 = s00;
            vec s10 = s00, s11 = s00, s12 = s00, s13 = s00, s14 = s00, s15 = s00, s16 = s00;
            vec s20 = s00, s21 = s00, s22 = s00, s23 = s00, s24 = s00, s25 = s00, s26 = s00, sum = s00;
            int64_t q = from;
            if (from) {
                RM_WROW(TAKE, 0) RM_WROW(TAKE, 1) RM_WROW(TAKE, 2)
                sum = vec_load(u + RM_K * RM_G * RM_LANES);
            }
            for (; q < to; q++, x0 += step, x1 += step, x2 += step, dy += C) {
                if (RM_DENSE && q >= first && q + 2 <= last) {
                    RM_WCOLUMNS(lacks0, lacks2)
                    if (q == to)
                        break;
                }
                const vec d = vec_load(dy);
                if (RM_HAS_BIAS)
                    sum = vec_add(d, sum);
                if ((uint64_t)(q - inner0) < inner) {
                    enum { is_inner = 1 };
                    const int64_t col = 0;
                    (void)col;
                    RM_WTAPS
                } else {
                    enum { is_inner = 0 };
                    const int64_t col = l->s0 + q * l->stride;
                    RM_WTAPS
                }
            }
            if (to < l->Q) {
                RM_WROW(KEEP, 0) RM_WROW(KEEP, 1) RM_WROW(KEEP, 2)
                vec_store(u + RM_K * RM_G * RM_LANES, sum);
                continue;
            }
            RM_WROW(ADD, 0) RM_WROW(ADD, 1) RM_WROW(ADD, 2)
            if (RM_HAS_BIAS && bias) {
                float *of_block = bias + (c - l->c0);
                vec_store(of_block, vec_add(vec_load(of_block), sum));
            }
        }
    }
}

#undef RM_WFMA
#undef RM_WTAP
#undef RM_WTAPS
#undef RM_WAT
#undef RM_WTAKE
#undef RM_WKEEP
#undef RM_WADD
#undef RM_WEACH
#undef RM_WROW
#undef RM_WMEET
#undef RM_WNEXT
#undef RM_WCOLUMN
#undef RM_WCOLUMNS
#undef RM_HAS_BIAS
#undef RM_K
#undef RM_G
#undef RM_DENSE
