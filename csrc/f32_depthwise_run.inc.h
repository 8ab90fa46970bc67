/* Runs of RM_T pixels, RM_K taps, stride RM_S, for all blocks of channels of a line.  The
 * accumulators a0, a1, ... and the taps w0, w1, ... are named, since compilers spill arrays
 * of them.  `edges` says what can be outside the image: nothing (0); columns among the first
 * and the last RM_K - 1 (1); any column, and then pixels beyond `count` as well (2). */
#define RM_COLUMNS ((RM_T - 1) * RM_S + RM_K)

RM_INLINE void RM_RUN(run_of, RM_T)(const RM_NAME(line) *l, int64_t q, int64_t count, int64_t lo, int64_t hi,
                                    int64_t rows, int edges)
{
    const int64_t x_pix = l->x_pix, y_pix = l->y_pix, w_tap = l->w_tap;
    for (int64_t c = l->c0; c < l->c1; c += RM_LANES) {
        const int64_t at = RM_NAME(block)(c, l->C);
        const vec start = l->b ? vec_load(l->b + at) : vec_zero();
        vec a0 = start, a1 = start, a2 = start, a3 = start, a4 = start, a5 = start, a6 = start;
        vec a7 = start, a8 = start, a9 = start, a10 = start, a11 = start, a12 = start, a13 = start;
        int64_t row = l->x0 + (q * RM_S + lo) * x_pix + at, tap = l->w0 + at;
        _Pragma("GCC unroll 3")
        for (int64_t i = 0; i < rows; i++, row += l->x_row, tap += l->w_row) {
            const float *w = l->w + tap, *x = l->x + row;
            vec w0 = vec_load(w), w1 = w0, w2 = w0, w3 = w0, w4 = w0, w5 = w0, w6 = w0;
            RM_LOAD_TAP(1) RM_LOAD_TAP(2) RM_LOAD_TAP(3) RM_LOAD_TAP(4) RM_LOAD_TAP(5) RM_LOAD_TAP(6)
            RM_COLUMN(0) RM_COLUMN(1) RM_COLUMN(2) RM_COLUMN(3) RM_COLUMN(4) RM_COLUMN(5) RM_COLUMN(6)
            RM_COLUMN(7) RM_COLUMN(8) RM_COLUMN(9) RM_COLUMN(10) RM_COLUMN(11) RM_COLUMN(12) RM_COLUMN(13)
            RM_COLUMN(14) RM_COLUMN(15) RM_COLUMN(16) RM_COLUMN(17) RM_COLUMN(18) RM_COLUMN(19) RM_COLUMN(20)
            RM_COLUMN(21) RM_COLUMN(22) RM_COLUMN(23) RM_COLUMN(24) RM_COLUMN(25) RM_COLUMN(26) RM_COLUMN(27)
            RM_COLUMN(28) RM_COLUMN(29) RM_COLUMN(30) RM_COLUMN(31) RM_COLUMN(32)
        }
        float *y = l->y + (l->y0 + q * y_pix + at);
        RM_PUT(0) RM_PUT(1) RM_PUT(2) RM_PUT(3) RM_PUT(4) RM_PUT(5) RM_PUT(6)
        RM_PUT(7) RM_PUT(8) RM_PUT(9) RM_PUT(10) RM_PUT(11) RM_PUT(12) RM_PUT(13)
    }
}

/* The run from pixel q, of a line that ends before pixel `last`.  The kernel rows of a 3 x 3
 * are unrolled, since a loop around 21 multiply-adds shows, and so are a first and a last
 * column in the padding, which leave no test. */
#define RM_RUN_3X3(first, end) \
    if (lo == (first) && hi == (end)) { \
        RM_RUN(run_of, RM_T)(l, q, RM_T, first, end, 3, 1); \
        return; \
    }

static void RM_RUN(run, RM_T)(const RM_NAME(line) *l, int64_t q, int64_t last)
{
    const int64_t count = rm_least(last - q, RM_T), wanted = (count - 1) * RM_S + RM_K;
    const int64_t lo = rm_most(l->lo - q * RM_S, 0), hi = rm_least(l->hi - q * RM_S, wanted);
    if (RM_K == 3 && l->rows == 3 && count == RM_T) {
        RM_RUN_3X3(0, RM_COLUMNS)
        RM_RUN_3X3(1, RM_COLUMNS)
        RM_RUN_3X3(0, RM_COLUMNS - 1)
        RM_RUN_3X3(1, RM_COLUMNS - 1)
    }
    if (lo == 0 && hi == RM_COLUMNS)
        RM_RUN(run_of, RM_T)(l, q, RM_T, 0, RM_COLUMNS, l->rows, 0);
    else if (count == RM_T && lo < RM_K && hi > RM_COLUMNS - RM_K)
        RM_RUN(run_of, RM_T)(l, q, RM_T, lo, hi, l->rows, 1);
    else
        RM_RUN(run_of, RM_T)(l, q, count, lo, hi, l->rows, 2);
}

#undef RM_RUN_3X3
#undef RM_COLUMNS
#undef RM_T
