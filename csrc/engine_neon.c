/* The engine's steps for neon. */
#include "phase.h"

#if RM_ARM64
#include <arm_neon.h>
#define RM_ISA neon
#define RM_TILES "tiles_neon.inc.h"
#include "blk_neon.h"

#include "f32_engine.inc.h"
#endif
