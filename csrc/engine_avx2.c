/* The engine's steps for avx2. */
#include "phase.h"

#if RM_X86
#include <immintrin.h>

RM_REGION_BEGIN("avx2,fma")
#define RM_ISA avx2
#define RM_TILES "tiles_avx2.inc.h"
#include "blk_avx2.h"

#include "f32_engine.inc.h"
RM_REGION_END
#endif
