/* The engine's vocabulary on NEON: a block is two vectors, 8 channels. */
#define RM_BLOCK 8
#define RM_BLOCK_REGISTERS 16

typedef struct blk {
    float32x4_t lo, hi;
} blk;

RM_INLINE blk blk_of(float32x4_t lo, float32x4_t hi) { return (blk){lo, hi}; }
RM_INLINE blk blk_zero(void) { return blk_of(vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)); }
RM_INLINE blk blk_load(const float *a) { return blk_of(vld1q_f32(a), vld1q_f32(a + 4)); }
RM_INLINE void blk_store(float *a, blk v) { vst1q_f32(a, v.lo), vst1q_f32(a + 4, v.hi); }
/* *a in every lane. */
RM_INLINE blk blk_set(const float *a) { return blk_of(vld1q_dup_f32(a), vld1q_dup_f32(a)); }
RM_INLINE blk blk_add(blk a, blk b) { return blk_of(vaddq_f32(a.lo, b.lo), vaddq_f32(a.hi, b.hi)); }
RM_INLINE blk blk_mul(blk a, blk b) { return blk_of(vmulq_f32(a.lo, b.lo), vmulq_f32(a.hi, b.hi)); }
RM_INLINE blk blk_div(blk a, blk b) { return blk_of(vdivq_f32(a.lo, b.lo), vdivq_f32(a.hi, b.hi)); }
/* a where a > b (a < b), else b: of two zeros, and beside a NaN, it is b. */
RM_INLINE blk blk_max(blk a, blk b)
{
    return blk_of(vbslq_f32(vcgtq_f32(a.lo, b.lo), a.lo, b.lo), vbslq_f32(vcgtq_f32(a.hi, b.hi), a.hi, b.hi));
}
RM_INLINE blk blk_min(blk a, blk b)
{
    return blk_of(vbslq_f32(vcltq_f32(a.lo, b.lo), a.lo, b.lo), vbslq_f32(vcltq_f32(a.hi, b.hi), a.hi, b.hi));
}
/* sum + a * b, rounded once. */
RM_INLINE void blk_mac(blk *sum, const blk *a, const blk *b)
{
    sum->lo = vfmaq_f32(sum->lo, a->lo, b->lo);
    sum->hi = vfmaq_f32(sum->hi, a->hi, b->hi);
}
/* 2^n from n + 1.5 * 2^23, n from -126 to 128 (infinity): the low bits of that float are n. */
RM_INLINE float32x4_t blk_pow2_of(float32x4_t shifted)
{
    const int32x4_t n = vshlq_n_s32(vreinterpretq_s32_f32(shifted), 23);
    return vreinterpretq_f32_s32(vaddq_s32(n, vdupq_n_s32(127 << 23)));
}
RM_INLINE blk blk_pow2(blk shifted) { return blk_of(blk_pow2_of(shifted.lo), blk_pow2_of(shifted.hi)); }
#define RM_PIN(v) ((void)0)
