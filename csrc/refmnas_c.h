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

/* -- the engine: a network as a list of steps (csrc/engine.h, csrc/plan.c) ------------- */

enum {
    RM_ACT_IDENTITY = 0,
    RM_ACT_RELU = 1,
    RM_ACT_RELU6 = 2,
    RM_ACT_SWISH = 3,
    RM_ACT_SIGMOID = 4,
    RM_ACT_HARD_SIGMOID = 5,
    RM_ACT_HARD_SWISH = 6,
    RM_ACT_HARD_SIGMOID_SLIM = 7,
    RM_ACT_HARD_SIGMOID_KERAS = 8
};

/* What a step does, and what its units are. */
enum {
    RM_STEP_STEM = 0,  /* the image's convolution; rows of output */
    RM_STEP_BAND = 1,  /* fill, depthwise, projection, some rows at a time; rows of output */
    RM_STEP_SLAB = 2,  /* fill, depthwise, a panel of channels at a time; panels */
    RM_STEP_SCALE = 3, /* squeeze and excitation of v, in place; panels of its second layer */
    RM_STEP_POINT = 4, /* pointwise convolution; panels */
    RM_STEP_SPLIT = 5, /* the same; pixels */
    RM_STEP_MEAN = 6,  /* pointwise convolution and mean over all pixels; panels */
    RM_STEP_DENSE = 7, /* the last layer; panels */
    RM_STEP_GROUPS = 8, /* expansion, grouped convolution, a chunk of groups at a time; rows of output of each chunk */
    RM_STEP_SHORTCUT = 9, /* pointwise convolution, also with a stride, or any over zeros that were put around; rows of output, or of each part */
    RM_STEP_WINDOW = 10, /* pool, move, gate, sum, activation; rows of output of each block */
    RM_STEP_AVERAGE = 11, /* mean over all pixels of what is stored; blocks */
    RM_STEP_LANES = 12, /* channels to other places; rows */
    RM_STEP_SOFTMAX = 13, /* the last layer's numbers v as shares, where the result is that; one unit */
    RM_STEPS = 14
};

/* How a band or a slab comes by the planes that its depthwise convolution reads. */
enum { RM_FILL_STEM = 0, RM_FILL_EXPAND = 1, RM_FILL_COPY = 2 };

/* What a window step takes of its windows. */
enum { RM_POOL_NONE = 0, RM_POOL_MOST = 1, RM_POOL_MEAN = 2, RM_POOL_MEAN_PADDED = 3 };

enum { RM_STEM_ROWS = 7, RM_REACH = 256 }; /* most rows of the stem's window; of u under a band's or slab's windows */

/* A pointwise or dense convolution: offsets of weights and bias, its panels, its activation. */
typedef struct rm_product {
    int64_t w, b, panels, panel_count, depth, act; /* depth: blocks of input channels, or floats of a window */
} rm_product;

/* Offsets are floats: weights and biases in the program's weights, all else in its work
 * memory (u, stem_lines, and v where is_private: in the thread's scratch).  -1: there is none.
 * A stride is that of the rows; stride_w that of the columns. */
typedef struct rm_step {
    int64_t kind, units;
    int64_t fill;
    int64_t x, x_blocks, x_h, x_w;                              /* what is read */
    int64_t stem_kernel, stem_stride, stem_stride_w, stem_top, stem_left, stem_pitch, stem_lines;
    rm_product expand;                                          /* or the stem */
    int64_t u, u_blocks, u_h, u_w, u_pitch, u_slots, u_places;  /* rows before the depthwise convolution, as a ring */
    int64_t dw_w, dw_b, dw_act, kernel, stride, stride_w, top, left; /* the depthwise or grouped convolution, or the shortcut */
    int64_t parts, part_count, depth, windows, piece_count, piece, chunks; /* of a grouped one: csrc/f32_engine_grouped.inc.h */
    int64_t p, q, rows;                                         /* output; rows at a time */
    int64_t v, v_blocks, is_private;                            /* after the depthwise convolution */
    int64_t sums, is_summed;                                    /* its rows' sums */
    rm_product squeeze, excite;
    int64_t squeeze_blocks;
    rm_product project;
    int64_t y, res, planes;                                     /* planes: where a mean keeps what it is of */
    int64_t pool, gate;                                         /* of a window step: csrc/f32_engine_window.inc.h */
    int64_t later, later_size;                                  /* weights of a later step to ask for meanwhile: engine/early.py */
    int64_t meets, owner;                                       /* begins a stage; the part that has all units, or -1: csrc/plan.c */
} rm_step;

typedef struct rm_program {
    int64_t isa, batch, threads, step_count;
    const rm_step *steps;
    const float *weights;
    float *work;
    const int32_t *tables; /* panels (first block, blocks), places of pixels, parts, chunks, pieces */
    int64_t scratch, scratch_size; /* in work: the threads' own */
    int64_t image_h, image_w, classes;
} rm_program;

/* Channels of a block and most blocks of a panel of the stem and of the last layer. */
int rm_engine_shape(int64_t isa, int64_t shape[3]);
/* y (batch, classes) from x (batch, image_h, image_w, 3). */
int rm_engine_run(const rm_program *program, const float *x, float *y);
/* The same, and each thread's time in each step added to seconds[threads][step_count]. */
int rm_engine_profile(const rm_program *program, const float *x, float *y, double *seconds);
/* x <- act(x), for measuring the activations alone. */
int rm_engine_activate(int64_t isa, int act, int64_t count, float *x);

/* -- what this processor can do at most (csrc/peak.c), for the bench --------------------- */

enum { RM_PEAK_CHAINS = 24 }; /* independent multiply-adds of one round */

/* The floats of each vector width that has a fused multiply-add here, narrowest first; 0 beyond the last. */
int rm_peak_lanes(int index);
/* rounds x RM_PEAK_CHAINS multiply-adds of so many lanes, in registers. */
int rm_peak_multiply_add(int lanes, int64_t rounds);
/* x read from end to end `times` times by loads so wide; count is a multiple of 256. */
int rm_peak_read(int lanes, const float *x, int64_t count, int64_t times);

/* cdef: end */

#endif
