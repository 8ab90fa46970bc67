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

RM_INLINE blk RM_NAME(constant)(int index)
{
    return blk_load(RM_NAME(constants)[index]);
}

RM_INLINE blk RM_NAME(fma)(blk a, blk b, blk sum)
{
    blk_mac(&sum, &a, &b);
    return sum;
}

/* P and 2^n of e^-x, by (1) of t = -x; signs are moved into the constants, so that nothing is negated.  From x = 87
 * on they are those of 87; at and below -127.5 ln 2 the power is infinite. */
RM_INLINE blk RM_NAME(exp_parts)(blk x, blk *power)
{
    x = blk_min(blk_max(x, RM_NAME(constant)(RM_EXP_MOST)), RM_NAME(constant)(RM_EXP_LEAST));
    const blk shifted = RM_NAME(fma)(x, RM_NAME(constant)(RM_MINUS_LOG2E), RM_NAME(constant)(RM_SHIFT));
    const blk n = blk_add(shifted, RM_NAME(constant)(RM_UNSHIFT));
    const blk r = RM_NAME(fma)(n, RM_NAME(constant)(RM_LN2_LOW), RM_NAME(fma)(n, RM_NAME(constant)(RM_LN2_HIGH), x));
    blk p = RM_NAME(constant)(RM_P + 4);
    for (int k = 3; k >= 0; k--)
        p = RM_NAME(fma)(p, r, RM_NAME(constant)(RM_P + k));
    p = RM_NAME(fma)(RM_NAME(fma)(p, r, RM_NAME(constant)(RM_MINUS_ONE)), r, RM_NAME(constant)(RM_ONE));
    *power = blk_pow2(shifted);
    return p;
}

/* 1 + e^-x: 1 from x = 87 on; infinite at and below -127.5 ln 2, so that what is divided by it is 0. */
RM_INLINE blk RM_NAME(one_and_exp)(blk x)
{
    blk power;
    const blk p = RM_NAME(exp_parts)(x, &power);
    return RM_NAME(fma)(p, power, RM_NAME(constant)(RM_ONE));
}

/* e^-x: from x = 87 on that of 87, 1.7e-38. */
RM_INLINE blk RM_NAME(exp_of_minus)(blk x)
{
    blk power;
    const blk p = RM_NAME(exp_parts)(x, &power);
    return blk_mul(p, power);
}

RM_INLINE blk RM_NAME(act)(int act, blk x)
{
    const blk zero = blk_zero(), six = RM_NAME(constant)(RM_SIXES), one = RM_NAME(constant)(RM_ONE);
    switch (act) {
    case RM_ACT_RELU:
        return blk_max(x, zero);
    case RM_ACT_RELU6:
        return blk_min(blk_max(x, zero), six);
    case RM_ACT_SWISH:
        return blk_div(x, RM_NAME(one_and_exp)(x));
    case RM_ACT_SIGMOID:
        return blk_div(one, RM_NAME(one_and_exp)(x));
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

/* `act` is a constant where this is expanded: one loop for each. */
RM_INLINE void RM_NAME(activate_by)(int act, int64_t blocks, float *x)
{
    for (int64_t k = 0; k < blocks; k++, x += RM_BLOCK)
        blk_store(x, RM_NAME(act)(act, blk_load(x)));
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
