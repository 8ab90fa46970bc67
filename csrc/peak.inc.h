/* The most that one vector width does, included once per width by peak.c, which defines
 * PEAK_LANES, PEAK_VEC and
 *
 *     PEAK_SET(a)        the float a in every lane
 *     PEAK_LOAD(p)       the lanes at p
 *     PEAK_ADD(a, b)     a + b
 *     PEAK_FMA(s, a, b)  s + a * b, rounded once
 *     PEAK_PIN           the constraint of a register of that kind
 *
 * An accumulator is a chain: 12 of them (a processor begins two to four multiply-adds a
 * cycle and takes about four cycles for one), each twice a round.  s <- s/2 + 1 stays
 * between 1 and 2, so that no value is subnormal or infinite.
 */
#define PEAK_PASTE(name, lanes) rm_peak_##name##_##lanes
#define PEAK_PASTE_EXPANDED(name, lanes) PEAK_PASTE(name, lanes)
#define PEAK_NAME(name) PEAK_PASTE_EXPANDED(name, PEAK_LANES)
#define PEAK_ALL(do_) do_(0) do_(1) do_(2) do_(3) do_(4) do_(5) do_(6) do_(7) do_(8) do_(9) do_(10) do_(11)
#define PEAK_EIGHT(do_) do_(0) do_(1) do_(2) do_(3) do_(4) do_(5) do_(6) do_(7)

static void PEAK_NAME(multiply_add)(int64_t rounds)
{
    const PEAK_VEC one = PEAK_SET(1.0f), half = PEAK_SET(0.5f);
    /* Opaque, or a compiler sees that all are equal and keeps one. */
#define PEAK_DECLARE(k)   \
    PEAK_VEC s##k = one;  \
    __asm__("" : "+" PEAK_PIN(s##k));
    PEAK_ALL(PEAK_DECLARE)
#undef PEAK_DECLARE
    for (; rounds; rounds--) {
#define PEAK_STEP(k) s##k = PEAK_FMA(one, s##k, half);
        PEAK_ALL(PEAK_STEP)
        PEAK_ALL(PEAK_STEP)
#undef PEAK_STEP
    }
#define PEAK_USE(k) __asm__ volatile("" : : PEAK_PIN(s##k));
    PEAK_ALL(PEAK_USE)
#undef PEAK_USE
}

static void PEAK_NAME(read)(const float *x, int64_t count, int64_t times)
{
    const PEAK_VEC zero = PEAK_SET(0.0f);
#define PEAK_DECLARE(k) PEAK_VEC s##k = zero;
    PEAK_EIGHT(PEAK_DECLARE)
#undef PEAK_DECLARE
    for (; times; times--) {
        for (int64_t i = 0; i < count; i += 8 * PEAK_LANES) {
#define PEAK_STEP(k) s##k = PEAK_ADD(s##k, PEAK_LOAD(x + i + k * PEAK_LANES));
            PEAK_EIGHT(PEAK_STEP)
#undef PEAK_STEP
        }
        __asm__ volatile("" : : : "memory"); /* or the passes would be one */
    }
#define PEAK_USE(k) __asm__ volatile("" : : PEAK_PIN(s##k));
    PEAK_EIGHT(PEAK_USE)
#undef PEAK_USE
}

#undef PEAK_PASTE
#undef PEAK_PASTE_EXPANDED
#undef PEAK_NAME
#undef PEAK_ALL
#undef PEAK_EIGHT
#undef PEAK_LANES
#undef PEAK_VEC
#undef PEAK_SET
#undef PEAK_LOAD
#undef PEAK_ADD
#undef PEAK_FMA
#undef PEAK_PIN
