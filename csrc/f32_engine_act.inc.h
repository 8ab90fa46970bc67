/* Activations of the engine, block by block, by multiply-adds in a fixed order: the same bits everywhere.
 *
 *   e^t = 2^n * P(r),  n = round(t / ln 2),  r = t - n ln 2                         (1)
 *   sigmoid(x) = 1 / (1 + e^-x),  swish(x) = x / (1 + e^-x)                         (2)
 *
 * ln 2 in two parts, the first of 16 bits, so that n times it is exact.  P is the
 * polynomial of degree 6 with P(0) = P'(0) = 1 that is nearest to e^r on |r| <= ln(2)/2
 * (weighted least squares, re-weighted until its error is even: 3.6e-9 of e^r).
 * Bound: 2.5 units in the last place, for sigmoid and swish alike; below -88.376 they are 0,
 * at most 4.2e-39 and 3.7e-37 off (benchmarks/activations.py: measured for every float32).
 */
static const float RM_LOG2E = 0x1.715476p+0f, RM_LN2_HIGH = -0x1.62e4p-1f, RM_LN2_LOW = -0x1.7f7d1cp-20f;
static const float RM_SHIFT = 0x1.8p+23f, RM_UNSHIFT = -0x1.8p+23f, RM_ONE = 1.0f, RM_MINUS_ONE = -1.0f;
static const float RM_EXP_MOST = 89.0f, RM_EXP_LEAST = -87.0f, RM_THREE = 3.0f;
static const float RM_SLIM_SIXTH = 0.16667f, RM_FIFTH = 0.2f, RM_HALF = 0.5f;
static const float RM_P[5] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.123a2p-7f, 0x1.6a23cep-10f};

RM_INLINE blk RM_NAME(fma)(blk a, blk b, blk sum)
{
    blk_mac(&sum, &a, &b);
    return sum;
}

/* Equation (1); below -87 it is e^-87, and from 127.5 ln 2 on infinite, so that what is divided by it is 0. */
RM_INLINE blk RM_NAME(exp)(blk t)
{
    t = blk_max(blk_min(t, blk_set(&RM_EXP_MOST)), blk_set(&RM_EXP_LEAST));
    const blk shifted = RM_NAME(fma)(t, blk_set(&RM_LOG2E), blk_set(&RM_SHIFT));
    const blk n = blk_add(shifted, blk_set(&RM_UNSHIFT)), one = blk_set(&RM_ONE);
    const blk r = RM_NAME(fma)(n, blk_set(&RM_LN2_LOW), RM_NAME(fma)(n, blk_set(&RM_LN2_HIGH), t));
    blk p = blk_set(&RM_P[4]);
    for (int k = 3; k >= 0; k--)
        p = RM_NAME(fma)(p, r, blk_set(&RM_P[k]));
    p = RM_NAME(fma)(RM_NAME(fma)(p, r, one), r, one);
    return blk_mul(p, blk_pow2(shifted));
}

RM_INLINE blk RM_NAME(act)(int act, blk x)
{
    const blk zero = blk_zero(), six = blk_set(&RM_SIX), one = blk_set(&RM_ONE);
    switch (act) {
    case RM_ACT_RELU:
        return blk_max(x, zero);
    case RM_ACT_RELU6:
        return blk_min(blk_max(x, zero), six);
    case RM_ACT_SWISH:
        return blk_div(x, blk_add(one, RM_NAME(exp)(blk_mul(x, blk_set(&RM_MINUS_ONE)))));
    case RM_ACT_SIGMOID:
        return blk_div(one, blk_add(one, RM_NAME(exp)(blk_mul(x, blk_set(&RM_MINUS_ONE)))));
    case RM_ACT_HARD_SIGMOID:
        return blk_div(blk_min(blk_max(blk_add(x, blk_set(&RM_THREE)), zero), six), six);
    case RM_ACT_HARD_SWISH:
        return blk_div(blk_mul(x, blk_min(blk_max(blk_add(x, blk_set(&RM_THREE)), zero), six)), six);
    case RM_ACT_HARD_SIGMOID_SLIM:
        return blk_mul(blk_min(blk_max(blk_add(x, blk_set(&RM_THREE)), zero), six), blk_set(&RM_SLIM_SIXTH));
    case RM_ACT_HARD_SIGMOID_KERAS:
        return blk_min(blk_max(blk_add(blk_mul(x, blk_set(&RM_FIFTH)), blk_set(&RM_HALF)), zero), one);
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
