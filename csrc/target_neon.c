/* The kernels, compiled for AArch64, whose every processor has NEON: see vec_neon.h. */
#include "isa.h"

#if RM_ARM64
#define RM_ISA neon
#include "vec_neon.h"

#include "f32_depthwise.inc.h"

RM_KERNELS
#endif
