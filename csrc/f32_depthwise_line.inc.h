/* One line of RM_K taps at stride RM_S, in runs of pixels.  Included once for each pair. */
#define RM_T 7
#include "f32_depthwise_run.inc.h"
#if RM_REGISTERS == 32
#define RM_T 14
#include "f32_depthwise_run.inc.h"
#endif

static void RM_LINE(line)(const RM_NAME(line) *l, int64_t first, int64_t last)
{
    const vec start = l->b ? vec_load(l->b) : vec_zero();
    while (first < last) {
#if RM_REGISTERS == 32
        if (last - first > 7) {
            RM_RUN(run, 14)(l, first, last, start);
            first += 14;
            continue;
        }
#endif
        RM_RUN(run, 7)(l, first, last, start);
        first += 7;
    }
}

#undef RM_K
#undef RM_S
