/* The kernels, compiled for any processor: see vec_wide16.h. */
#include "isa.h"

#define RM_ISA wide16
#include "vec_wide16.h"

#include "f32_depthwise.inc.h"

RM_KERNELS
