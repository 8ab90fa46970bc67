/* The kernels, compiled for AVX-512 F, VL, BW, DQ: see vec_avx512.h. */
#include "isa.h"

#if RM_X86
#include <immintrin.h>

RM_REGION_BEGIN("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#define RM_ISA avx512
#include "vec_avx512.h"

#include "f32_depthwise.inc.h"
RM_REGION_END

RM_KERNELS
#endif
