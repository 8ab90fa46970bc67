/* Activations of the engine, block by block, by multiply-adds in a fixed order: the same bits everywhere.
 *
 *   e^t = 2^n * P(r),  n = round(t / ln 2),  r = t - n ln 2                         (1)
 *   sigmoid(x) = 1 / (1 + e^-x),  swish(x) = x / (1 + e^-x)                         (2)
 *
 * ln 2 in two parts, the first of 16 bits, so that n times it is exact.  P is the
 * polynomial of degree 6 with P(0) = P'(0) = 1 that is nearest to e^r on |r| <= ln(2)/2
 * (weighted least squares, re-weighted until its error is even: 3.6e-9 of e^r).
 * Bound: 2.5 units in the last place, for sigmoid and swish alike; below -88.376 they are 0,
 * at most 4.2e-39 and 3.7e-37 off.  Hard-sigmoid 1.1, slim's 1.25, hard-swish 2 units
 * (benchmarks/activations.py: measured for every float32).
 */
/* A constant in every lane, so that an instruction takes it from memory: there are more of them than registers. */
#if RM_BLOCK == 16
#define RM_ALL(c) {c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c}
#else
#define RM_ALL(c) {c, c, c, c, c, c, c, c}
#endif
enum {
    RM_MINUS_LOG2E, RM_LN2_HIGH, RM_LN2_LOW, RM_SHIFT, RM_UNSHIFT, RM_ONE, RM_MINUS_ONE, RM_EXP_MOST, RM_EXP_LEAST, RM_P,
    RM_THREE = RM_P + 5, RM_SIXES, RM_SLIM_SIXTH, RM_FIFTH, RM_HALF, RM_CONSTANTS
};
static const float RM_NAME(constants)[RM_CONSTANTS][RM_BLOCK] __attribute__((aligned(64))) = {
    [RM_MINUS_LOG2E] = RM_ALL(-0x1.715476p+0f), [RM_LN2_HIGH] = RM_ALL(0x1.62e4p-1f),
    [RM_LN2_LOW] = RM_ALL(0x1.7f7d1cp-20f), [RM_SHIFT] = RM_ALL(0x1.8p+23f), [RM_UNSHIFT] = RM_ALL(-0x1.8p+23f),
    [RM_ONE] = RM_ALL(1.0f), [RM_MINUS_ONE] = RM_ALL(-1.0f),
    [RM_EXP_MOST] = RM_ALL(-89.0f), [RM_EXP_LEAST] = RM_ALL(87.0f),
    [RM_P] = RM_ALL(0x1.fffffcp-2f), [RM_P + 1] = RM_ALL(-0x1.555492p-3f), [RM_P + 2] = RM_ALL(0x1.5558f2p-5f),
    [RM_P + 3] = RM_ALL(-0x1.123a2p-7f), [RM_P + 4] = RM_ALL(0x1.6a23cep-10f),
    [RM_THREE] = RM_ALL(3.0f), [RM_SIXES] = RM_ALL(6.0f), [RM_SLIM_SIXTH] = RM_ALL(0.16667f),
    [RM_FIFTH] = RM_ALL(0.2f), [RM_HALF] = RM_ALL(0.5f),
};

/* Blocks that are activated side by side: a constant is loaded once for all of them, and their chains overlap. */
enum { RM_TOGETHER = 4 };

RM_INLINE blk RM_NAME(constant)(int index)
{
    return blk_load(RM_NAME(constants)[index]);
}

RM_INLINE blk RM_NAME(fma)(blk a, blk b, blk sum)
{
    blk_mac(&sum, &a, &b);
    return sum;
}

/* P and 2^n of e^-x of `count` blocks, by (1) of t = -x; signs are moved into the constants, so that nothing is
 * negated.  From x = 87 on they are those of 87; at and below -127.5 ln 2 the power is infinite. */
RM_INLINE void RM_NAME(exp_parts)(int count, const float *x, blk *p, blk *power)
{
    blk r[RM_TOGETHER];
    for (int k = 0; k < count; k++) {
        r[k] = blk_min(blk_max(blk_load(x + k * RM_BLOCK), RM_NAME(constant)(RM_EXP_MOST)), RM_NAME(constant)(RM_EXP_LEAST));
        power[k] = RM_NAME(fma)(r[k], RM_NAME(constant)(RM_MINUS_LOG2E), RM_NAME(constant)(RM_SHIFT));
    }
    for (int k = 0; k < count; k++) {
        const blk n = blk_add(power[k], RM_NAME(constant)(RM_UNSHIFT));
        r[k] = RM_NAME(fma)(n, RM_NAME(constant)(RM_LN2_LOW), RM_NAME(fma)(n, RM_NAME(constant)(RM_LN2_HIGH), r[k]));
        p[k] = RM_NAME(constant)(RM_P + 4);
    }
    for (int i = 3; i >= 0; i--)
        for (int k = 0; k < count; k++)
            p[k] = RM_NAME(fma)(p[k], r[k], RM_NAME(constant)(RM_P + i));
    for (int k = 0; k < count; k++) {
        p[k] = RM_NAME(fma)(RM_NAME(fma)(p[k], r[k], RM_NAME(constant)(RM_MINUS_ONE)), r[k], RM_NAME(constant)(RM_ONE));
        power[k] = blk_pow2(power[k]);
    }
}

/* y = 1 + e^-x of `count` blocks: 1 from x = 87 on; infinite at and below -127.5 ln 2, so that what is divided by it
 * is 0. */
RM_INLINE void RM_NAME(one_and_exp)(int count, const float *x, blk *y)
{
    blk power[RM_TOGETHER];
    RM_NAME(exp_parts)(count, x, y, power);
    for (int k = 0; k < count; k++)
        y[k] = RM_NAME(fma)(y[k], power[k], RM_NAME(constant)(RM_ONE));
}

/* e^-x of a block: from x = 87 on that of 87, 1.7e-38. */
RM_INLINE blk RM_NAME(exp_of_minus)(const float *x)
{
    blk p[RM_TOGETHER], power[RM_TOGETHER];
    RM_NAME(exp_parts)(1, x, p, power);
    return blk_mul(p[0], power[0]);
}

RM_INLINE blk RM_NAME(act)(int act, blk x)
{
    const blk zero = blk_zero(), six = RM_NAME(constant)(RM_SIXES), one = RM_NAME(constant)(RM_ONE);
    switch (act) {
    case RM_ACT_RELU:
        return blk_max(x, zero);
    case RM_ACT_RELU6:
        return blk_min(blk_max(x, zero), six);
    case RM_ACT_HARD_SIGMOID:
        return blk_div(blk_min(blk_max(blk_add(x, RM_NAME(constant)(RM_THREE)), zero), six), six);
    case RM_ACT_HARD_SWISH:
        return blk_div(blk_mul(x, blk_min(blk_max(blk_add(x, RM_NAME(constant)(RM_THREE)), zero), six)), six);
    case RM_ACT_HARD_SIGMOID_SLIM:
        return blk_mul(blk_min(blk_max(blk_add(x, RM_NAME(constant)(RM_THREE)), zero), six), RM_NAME(constant)(RM_SLIM_SIXTH));
    case RM_ACT_HARD_SIGMOID_KERAS:
        return blk_min(blk_max(blk_add(blk_mul(x, RM_NAME(constant)(RM_FIFTH)), RM_NAME(constant)(RM_HALF)), zero), one);
    }
    return x;
}

/* `count` blocks at x. */
RM_INLINE void RM_NAME(acts)(int act, int count, float *x)
{
    blk y[RM_TOGETHER];
    if (act == RM_ACT_SWISH || act == RM_ACT_SIGMOID) {
        RM_NAME(one_and_exp)(count, x, y);
        for (int k = 0; k < count; k++)
            y[k] = blk_div(act == RM_ACT_SWISH ? blk_load(x + k * RM_BLOCK) : RM_NAME(constant)(RM_ONE), y[k]);
    } else {
        for (int k = 0; k < count; k++)
            y[k] = RM_NAME(act)(act, blk_load(x + k * RM_BLOCK));
    }
    for (int k = 0; k < count; k++)
        blk_store(x + k * RM_BLOCK, y[k]);
}

/* `act` is a constant where this is expanded: one loop for each. */
RM_INLINE void RM_NAME(activate_by)(int act, int64_t blocks, float *x)
{
    for (; blocks >= RM_TOGETHER; blocks -= RM_TOGETHER, x += RM_TOGETHER * RM_BLOCK)
        RM_NAME(acts)(act, RM_TOGETHER, x);
    for (; blocks; blocks--, x += RM_BLOCK)
        RM_NAME(acts)(act, 1, x);
}

/* `blocks` blocks that lie together. */
static void RM_NAME(activate)(int act, int64_t blocks, float *x)
{
    switch (act) {
    case RM_ACT_SWISH:
        RM_NAME(activate_by)(RM_ACT_SWISH, blocks, x);
        break;
    case RM_ACT_SIGMOID:
        RM_NAME(activate_by)(RM_ACT_SIGMOID, blocks, x);
        break;
    case RM_ACT_HARD_SWISH:
        RM_NAME(activate_by)(RM_ACT_HARD_SWISH, blocks, x);
        break;
    default:
        RM_NAME(activate_by)(act, blocks, x);
    }
}
