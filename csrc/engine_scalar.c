/* The engine's steps for scalar. */
#include "phase.h"

#define RM_ISA scalar
#define RM_TILES "tiles_scalar.inc.h"
#define RM_BLOCK 8
#include "blk_plain.h"

#include "f32_engine.inc.h"
