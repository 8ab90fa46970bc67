/* The whole C interface of refmnas.
 *
 * Every .c file includes this text, and build_ext.py hands the part between the
 * two marks to cffi, so a prototype exists once.
 *
 * Every function of an op returns a status and touches nothing unless it is
 * RM_OK.  Nothing here allocates, prints, aborts or keeps state besides the
 * instruction set in use.
 */
#ifndef REFMNAS_C_H
#define REFMNAS_C_H

#include <stdint.h>

/* cdef: begin */

enum {
    RM_OK = 0,
    RM_NULL = 1,      /* a pointer that must be given is NULL */
    RM_SHAPE = 2,     /* extents or options that no result exists for */
    RM_TOO_LARGE = 3, /* an array of more bytes than 63 bits count */
    RM_NAME_UNKNOWN = 4,
    RM_NOT_USABLE = 5 /* this processor or operating system lacks it */
};

/* One depthwise problem.  x (n, h, w, c), weights (kh, kw, c), y (n, p, q, c). */
typedef struct rm_dw_shape {
    int64_t n, h, w, c, kh, kw, stride, dilation;
    int64_t top, bottom, left, right;
    int64_t p, q;
} rm_dw_shape;

/* The instruction sets of this build, best first; NULL beyond the last. */
const char *rm_isa_name(int index);
int rm_isa_usable(int index);
/* The one in use; the best usable one until another is selected. */
const char *rm_isa(void);
int rm_select_isa(const char *name);

/* RM_OK where the shape is one that the two functions below accept. */
int rm_dw_check(const rm_dw_shape *s);

/* Equation (1); b may be NULL. */
int rm_f32_depthwise_fwd(const rm_dw_shape *s, const float *x, const float *w, const float *b, float *y);
/* Equations (2), (3), (4). */
int rm_f32_depthwise_bwd(const rm_dw_shape *s, const float *dy, const float *x, const float *w,
                         float *dx, float *dw, float *db);

/* cdef: end */

#endif
