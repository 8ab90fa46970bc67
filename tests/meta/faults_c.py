"""Faults planted by hand in the C texts; see faults.py."""

# ruff: noqa: E501  (an anchor is a line of the text it changes)

from faults import F

SWEEP, RUN = "f32_depthwise_sweep.inc.h", "f32_depthwise_run.inc.h"
HEAD, BWDW, WLINE = "f32_depthwise.inc.h", "f32_depthwise_bwdw.inc.h", "f32_depthwise_wline.inc.h"
PHASE, DISPATCH, SPREAD = "phase.h", "dispatch.c", "f32_depthwise_spread.inc.h"

# In the plain suite: one of each kind, at most ten.
FEW = (
    F("depthwise.forward", SWEEP, "columns beyond the right edge read",
      "(m) <= RM_COLUMNS - RM_K) || (m) < hi))", "(m) <= RM_COLUMNS - RM_K) || (m) <= hi))"),
    F("depthwise.forward", HEAD, "the last block of channels not moved back",
      "rm_most(rm_least(c, C - RM_LANES), 0);", "rm_most(c / RM_LANES * RM_LANES - (c + RM_LANES > C) * RM_LANES, 0);"),
    F("depthwise.backward", BWDW, "the sums of one image only",
      "    for (int64_t n = 0; n < s->n; n++) {\n        for (int64_t p = 0; p < s->p; p++)\n            RM_NAME(weight_row)",
      "    for (int64_t n = 0; n < s->n && n < 1; n++) {\n        for (int64_t p = 0; p < s->p; p++)\n            RM_NAME(weight_row)"),
)  # fmt: skip

# The rest: the marker `slow`.
MORE = (
    F("depthwise.backward", HEAD, "the image's index ignored in the gradient of x",
      "dy + n * s->p * s->q * s->c, w, NULL", "dy + 0 * n * s->p * s->q * s->c, w, NULL"),
    F("depthwise.forward", HEAD, "padding taken from the columns for the rows",
      "s->kh, s->stride, s->dilation, s->top, 0};\n    const rm_axis cols = {s->w, s->q",
      "s->kh, s->stride, s->dilation, s->left, 0};\n    const rm_axis cols = {s->w, s->q"),
    F("depthwise.forward", SWEEP, "tail channels under a mask one lane short",
      "    const int lanes = RM_NAME(lanes)(l->C);\n    const rm_phase",
      "    const int lanes = RM_NAME(lanes)(l->C) - 1;\n    const rm_phase"),
    F("depthwise.backward", PHASE, "transposed taps from the first to the last",
      "    f->tap_step = -every;", "    f->tap_step = every;\n    f->tap0 = first;"),
    F("depthwise.backward", BWDW, "dilation forgotten in the first kernel row",
      "l.x0 = (r0 + i0 * L) * s->w * C;", "l.x0 = (r0 + i0) * s->w * C;"),
    F("depthwise.forward", SWEEP, "the first column of a border taken as outside",
      "(m) >= RM_K - 1) || (m) >= lo) &&", "(m) >= RM_K - 1) || (m) > lo) &&"),
    F("depthwise.forward", SWEEP, "stride 2 by the dense lines",
      "return cols->stride == 1 ? dense[cols->taps]", "return cols->stride <= 2 ? dense[cols->taps]"),
    F("depthwise.forward", SWEEP, "the bias of the first block for all",
      "vec_load(l->b + at) : vec_load_tail(l->b + at, lanes);", "vec_load(l->b) : vec_load_tail(l->b, lanes);"),
    F("depthwise.forward", RUN, "the last column of a run of five taps dropped",
      "#define RM_COLUMNS ((RM_T - 1) * RM_S + RM_K)", "#define RM_COLUMNS ((RM_T - 1) * RM_S + RM_K - (RM_K == 5))"),
    F("depthwise.forward", RUN, "three kernel rows at the upper edge too",
      "if (RM_K == 3 && l->rows == 3 && count == RM_T) {", "if (RM_K == 3 && l->rows >= 2 && count == RM_T) {"),
    F("depthwise.forward", PHASE, "first tap inside counted from the wrong pixel",
      "return rm_least(rm_most(f->lo - q * f->stride, 0), f->taps);", "return rm_least(rm_most(f->lo - q, 0), f->taps);"),
    F("depthwise.backward", PHASE, "the last output of a phase dropped",
      "f.count = (a->out_size - o + f.out_step - 1) / f.out_step;", "f.count = (a->out_size - o + f.out_step / 2) / f.out_step;"),
    F("depthwise.backward", PHASE, "dilation where stride belongs",
      "(o + a->before - first * a->dilation) % a->stride)", "(o + a->before - first * a->stride) % a->dilation)"),
    F("depthwise.backward", HEAD, "the gradient padded by the right side of the rows",
      "const rm_axis rows = {s->p, s->h, s->kh, s->stride, s->dilation, s->top, 1};",
      "const rm_axis rows = {s->p, s->h, s->kh, s->stride, s->dilation, s->bottom, 1};"),
    F("depthwise.backward", BWDW, "an inner pixel too many at the right edge",
      "rm_least((reach - 1) / s->stride + 1, s->q);", "rm_least(reach / s->stride + 1, s->q);"),
    F("depthwise.backward", BWDW, "an inner pixel too early at the left edge",
      "l.inner0 = rm_least((s->left + s->stride - 1) / s->stride, s->q);", "l.inner0 = rm_least(s->left / s->stride, s->q);"),
    F("depthwise.backward", BWDW, "db without the rows of dy that meet only the padding below",
      "    if (i0 == i1)\n", "    if (i0 == i1 && i0 > 0)\n"),
    F("depthwise.backward", BWDW, "totals of one kernel row overwritten by the next",
      "l->total += rows * K * RM_LANES;", "l->total += rows * 3 * RM_LANES;"),
    F("depthwise.backward", BWDW, "a kernel of odd rows by pairs, its last row dropped",
      "    while (i0 < i1) {\n", "    while (i0 + (K == 7) < i1) {\n"),
    F("depthwise.backward", BWDW, "rows and columns of a tap exchanged",
      "of, k / s->kw, k % s->kw, is_whole);", "of, k % s->kh, k / s->kh, is_whole);"),
    F("depthwise.backward", WLINE, "a tap inside at the column before the image",
      "(is_inner || (col + (j) * l->dilation >= 0 &&", "(is_inner || (col + (j) * l->dilation >= -1 &&"),
    F("depthwise.backward", SPREAD, "stride 2: taps of the odd row's second column exchanged",
      "RM_SPREAD_MAC(t1, 2, 2, d0, has_d) RM_SPREAD_MAC(t1, 2, 0, e0, has_e)", "RM_SPREAD_MAC(t1, 2, 0, d0, has_d) RM_SPREAD_MAC(t1, 2, 2, e0, has_e)"),
    F("depthwise.backward", DISPATCH, "the weight's gradient from the other operand",
      "kernels->f32_depthwise_bwdw(s, dy, x, dw, db);", "kernels->f32_depthwise_bwdw(s, dy, dy, dw, db);"),
)  # fmt: skip
