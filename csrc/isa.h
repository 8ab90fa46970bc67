/* What the copies of the kernels share: architectures, regions, names, the table's row.
 *
 * A target_<isa>.c defines RM_ISA, opens a region, includes its vocabulary and the
 * kernels, and closes the region.  A region stands for the compiler flags that
 * setuptools cannot give to one file alone.
 */
#ifndef RM_ISA_H
#define RM_ISA_H

#include "refmnas_c.h"

#if defined(__x86_64__) || defined(__i386__)
#define RM_X86 1
#else
#define RM_X86 0
#endif

#if defined(__aarch64__)
#define RM_ARM64 1
#else
#define RM_ARM64 0
#endif

#define RM_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define RM_REGION_BEGIN(features) \
    RM_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define RM_REGION_END RM_PRAGMA(clang attribute pop)
#else
#define RM_REGION_BEGIN(features) RM_PRAGMA(GCC push_options) RM_PRAGMA(GCC target(features))
#define RM_REGION_END RM_PRAGMA(GCC pop_options)
#endif

/* RM_NAME(f32_depthwise_fwd) is rm_f32_depthwise_fwd__avx2 in target_avx2.c. */
#define RM_PASTE(name, isa) rm_##name##__##isa
#define RM_PASTE_EXPANDED(name, isa) RM_PASTE(name, isa)
#define RM_NAME(name) RM_PASTE_EXPANDED(name, RM_ISA)

#define RM_INLINE static inline __attribute__((always_inline))

/* One instruction set's copy of every kernel.  Shapes were checked before. */
typedef struct rm_kernels {
    const char *name;
    void (*f32_depthwise_fwd)(const rm_dw_shape *s, const float *x, const float *w, const float *b, float *y);
    void (*f32_depthwise_bwdx)(const rm_dw_shape *s, const float *dy, const float *w, float *dx);
    void (*f32_depthwise_bwdw)(const rm_dw_shape *s, const float *dy, const float *x, float *dw, float *db);
} rm_kernels;

#define RM_KERNELS                                                                           \
    const rm_kernels RM_NAME(kernels) = {RM_STRING(RM_ISA), RM_NAME(f32_depthwise_fwd),      \
                                         RM_NAME(f32_depthwise_bwdx), RM_NAME(f32_depthwise_bwdw)};
#define RM_STRING_OF(text) #text
#define RM_STRING(text) RM_STRING_OF(text)

extern const rm_kernels rm_kernels__scalar, rm_kernels__wide16;
#if RM_X86
extern const rm_kernels rm_kernels__avx2, rm_kernels__avx512;
#endif
#if RM_ARM64
extern const rm_kernels rm_kernels__neon;
#endif

#endif
