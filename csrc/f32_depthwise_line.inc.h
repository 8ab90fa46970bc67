/* One line of RM_K taps at stride RM_S, in runs of pixels.  Included once for each pair. */
#define RM_T 7
#include "f32_depthwise_run.inc.h"
#if RM_REGISTERS == 32
#define RM_T 14
#include "f32_depthwise_run.inc.h"
#endif

static void RM_LINE(line)(const RM_NAME(line) *l, int64_t count)
{
    int64_t q = 0;
#if RM_REGISTERS == 32
    for (; count - q > 7; q += 14)
        RM_RUN(run, 14)(l, q, count);
#endif
    for (; q < count; q += 7)
        RM_RUN(run, 7)(l, q, count);
}

#undef RM_K
#undef RM_S
