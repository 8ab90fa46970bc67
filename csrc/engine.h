/* What the engine's copies share: a run's frame, the tiles' arguments, the table's row.
 *
 * Memory    planes of blocks: [block of channels][row][column][RM_BLOCK], where a width that
 *           is no multiple of the block has zero lanes at its end.
 * Weights   pointwise: panels of a few blocks, each [input channel][channel of the panel];
 *           depthwise: [block][kernel row][kernel column][RM_BLOCK]; grouped: parts of a few
 *           blocks, each [kernel row][kernel column][input channel][channel of the part]; biases
 *           beside them.
 * Order     every result of a convolution is one chain of multiply-adds from its bias, by
 *           kernel row, kernel column, input channel; a mean is, within a row, one chain of
 *           additions by column, then of the rows' sums by row, then times 1/(H*W) rounded; a
 *           pool is one chain by kernel row, then kernel column (f32_engine_window.inc.h).
 *           Threads, tiles and blocks move none of it, so all plans give the same bits.
 */
#ifndef RM_ENGINE_H
#define RM_ENGINE_H

#include "isa.h"

/* One image's way through a program, as one thread sees it. */
typedef struct rm_frame {
    const rm_program *program;
    const float *image;
    float *logits;
    float *scratch; /* of this thread alone */
    const float *later, *later_end; /* rm_pw's */
} rm_frame;

/* Into the second cache; any address is harmless. */
#define RM_PREFETCH(address) __builtin_prefetch(address, 0, 2)

/* Some pixels of a pointwise convolution against one panel of weights. */
typedef struct rm_pw {
    const float *a, *w, *b, *res; /* res: added before the activation, at its places; or NULL */
    float *y;
    const int32_t *at; /* floats from y to each pixel */
    const float *ahead, *ahead_end; /* weights that will be wanted next: asked for a line per block and tile */
    const float *later, *later_end; /* the same for those of a product over one pixel, which come too fast to be awaited */
    int64_t a_plane, y_plane, blocks; /* blocks of input channels */
    int64_t pixels;
    int act;
} rm_pw;

/* Some pixels of a row of a dense convolution of the image. */
typedef struct rm_stem {
    const float *x[RM_STEM_ROWS]; /* the window of pixel 0, by kernel row */
    const float *w, *b;
    float *y;
    int64_t x_step, rows, columns, y_plane; /* floats from pixel to pixel; kernel rows; floats of one */
    int act;
} rm_stem;

/* Some pixels of a grouped convolution against one part of its weights; each pixel's window anywhere. */
typedef struct rm_gc {
    const float *u, *w, *b;
    const int32_t *pixels; /* floats from u to each pixel's place */
    const int64_t *row;    /* floats from there to each kernel row */
    const int32_t *pieces; /* and from there to each run of `piece` input channels, in the order of the sum */
    const float *ahead, *ahead_end; /* weights that will be wanted next: asked for a line per piece and tile */
    int64_t rows, piece_count, piece;
    float *y; /* the first pixel's; the others behind it */
    int64_t y_plane;
    int act;
} rm_gc;

/* Some rows of one block of a depthwise convolution. */
typedef struct rm_dw {
    const float *u, *w, *b;
    const int64_t *row; /* floats from u to each row of input, output row p beginning at row[p * stride] */
    float *y;
    int64_t rows, pixels, y_row, kernel, stride, stride_w; /* of rows, of columns */
    int act;
} rm_dw;

/* One instruction set's copy of the engine. */
typedef struct rm_engine {
    int64_t block, stem_blocks, dense_blocks; /* channels of a block; most blocks of a panel */
    /* Units first..last of a step; what the units of a step are, the step's kind says. */
    void (*step[RM_STEPS])(rm_frame *f, const rm_step *s, int64_t first, int64_t last);
    void (*activate)(int act, int64_t blocks, float *x);
} rm_engine;

extern const rm_engine rm_engine__scalar, rm_engine__wide16;
#if RM_X86
extern const rm_engine rm_engine__avx2, rm_engine__avx512;
#endif
#if RM_ARM64
extern const rm_engine rm_engine__neon;
#endif

/* The copy of the instruction set at a place of dispatch.c's table; NULL where it is not usable. */
const rm_engine *rm_engine_of(int64_t isa);

#endif
