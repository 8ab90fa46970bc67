/* The kernels, compiled for AVX2 with FMA: see vec_avx2.h. */
#include "isa.h"

#if RM_X86
#include <immintrin.h>

RM_REGION_BEGIN("avx2,fma")
#define RM_ISA avx2
#include "vec_avx2.h"

#include "f32_depthwise.inc.h"
RM_REGION_END

RM_KERNELS
#endif
