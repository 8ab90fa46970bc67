/* The kernels, compiled for any processor: see vec_scalar.h. */
#include "isa.h"

#define RM_ISA scalar
#include "vec_scalar.h"

#include "f32_depthwise.inc.h"

RM_KERNELS
