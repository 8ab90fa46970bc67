/* The engine's steps for wide16. */
#include "phase.h"

#define RM_ISA wide16
#define RM_TILES "tiles_wide16.inc.h"
#define RM_BLOCK 16
#include "blk_plain.h"

#include "f32_engine.inc.h"
