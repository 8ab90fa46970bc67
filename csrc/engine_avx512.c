/* The engine's steps for avx512. */
#include "phase.h"

#if RM_X86
#include <immintrin.h>

RM_REGION_BEGIN("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#define RM_ISA avx512
#define RM_TILES "tiles_avx512.inc.h"
#include "blk_avx512.h"

#include "f32_engine.inc.h"
RM_REGION_END
#endif
