"""Faults planted by hand in the engine; see faults.py.  Each must change a small network's logits from the definition's."""

# ruff: noqa: E501  (an anchor is a line of the text it changes)

from typing import NamedTuple


class Fault(NamedTuple):
    """`old` becomes `new` in one text: a module of refmnas.engine, or a C source."""

    text: str
    what: str
    old: str
    new: str

    def __str__(self):
        return f"{self.text}: {self.what}"


STEPS, FILL, PLAN, ACT = "f32_engine_steps.inc.h", "f32_engine_fill.inc.h", "plan.c", "f32_engine_act.inc.h"
GROUPED, WINDOW, WHOLE = "f32_engine_grouped.inc.h", "f32_engine_window.inc.h", "f32_engine.inc.h"

PYTHON = (
    Fault("pack", "a depthwise filter turned by half a turn",
          "return self.weights.add(by_block), ", "return self.weights.add(by_block[:, ::-1]), "),
    Fault("pack", "a panel's weights begin one block late",
          "parts = [w[:, s * self.block : (s + n) * self.block]", "parts = [np.roll(w, -self.block * (s > 0), 1)[:, s * self.block : (s + n) * self.block]"),
    Fault("program", "the residual forgotten",
          'return {"res": self.other(add, project)} if add else {}', "return {}"),
    Fault("program", "a shortcut's sum forgotten",
          'return {"res": add.name}', "return {}"),
    Fault("grouped", "every group reads the first one's channels",
          "_pieces(g * depth, depth, size", "_pieces(0, depth, size"),
    Fault("grouped", "the groups of a later chunk read where they lie in the whole",
          "places -= plane[0] * starts[:, None]", "places -= 0 * starts[:, None]"),
    Fault("grouped", "a part's weights begin one block late",
          "before += p.blocks", "before += p.blocks - (p.first == 1)"),
    Fault("fill", "the depthwise activation dropped",
          '"dw_act": steps.ACTS[window.act]', '"dw_act": 0'),
    Fault("fill", "rows padded by the columns' rule",
          '"top": top, "left": left, "p": p', '"top": left, "left": left, "p": p'),
    Fault("lanes", "weight rows not moved apart where a part ends inside a block",
          "moved[(slice(None),) * axis + (lanes,)] = a", "moved[(slice(None),) * axis + (np.arange(len(lanes)),)] = a"),
    Fault("lanes", "a part one block early in the whole",
          "self.places[part] = (node.name, before // self.block)", "self.places[part] = (node.name, max(before // self.block - 1, 0))"),
    Fault("merge", "parts of an activated concatenation left as they are",
          "self._put(name, replace(self.nodes[self._at[name]], act=act.act), new)", "self._put(name, self.nodes[self._at[name]], new)"),
    Fault("grouped", "half of a factorised reduction written to the other's lanes",
          "found = _parts_between(0, begin, begin + channels, whole, block)", "found = _parts_between(0, 0, channels, whole, block)"),
    Fault("grouped", "the columns of a grouped convolution by the rows' stride",
          "columns = np.arange(q) * stride_w * block", "columns = np.arange(q) * stride * block"),
    Fault("fill", "the stem's columns by the rows' stride",
          '"stem_stride_w": node.strides[1]', '"stem_stride_w": node.strides[0]'),
    Fault("program", "a buffer dies before its last reader",
          "buffer.last = len(self.steps) if name in kept else stage[-1]", "buffer.last = buffer.first"),
    Fault("stages", "a step beside the one whose result it reads",
          "number = max(number, _last(wrote, name, place) + 1)", "number = max(number, _last(wrote, name, place))"),
    Fault("stages", "a part of a concatenation beside what reads the whole",
          "if whole in (name, other) or other == name)", "if other == name)"),
)  # fmt: skip

# In the plain suite: each compiles for some seconds.
FEW = (
    Fault(STEPS, "a row of the ring off by one",
          "row[k] = (is_inside ? at : s->u_slots) * slot;", "row[k] = (is_inside ? (at + 1) % s->u_slots : s->u_slots) * slot;"),
)  # fmt: skip

# The marker `slow`.
MORE = (
    Fault(PLAN, "the last unit of a second part is nobody's",
          "s->units * (part + 1) / T;", "s->units * (part + 1) / T - (part > 0);"),
    Fault(WINDOW, "the mean of a window with the zeros around counted",
          "s->pool == RM_POOL_MEAN_PADDED ? K * K", "s->pool != RM_POOL_NONE ? K * K"),
    Fault(WINDOW, "a largest value that zeros outside may win",
          "blk total = is_most ? blk_load(x + i0 * row + j0 * RM_BLOCK) : blk_zero();", "blk total = blk_zero();"),
    Fault(WINDOW, "the columns of a window by the rows' stride",
          "const int64_t left = q * s->stride_w - s->left,", "const int64_t left = q * s->stride - s->left,"),
    Fault(WINDOW, "a softmax that does not count the last class",
          "    for (int64_t k = 0; k < classes; k++) {\n        const float above", "    for (int64_t k = 0; k < classes - 1; k++) {\n        const float above"),
    Fault(WHOLE, "the tile of the rows' stride",
          "RM_NAME(dw_tiles)[k].stride == r->stride_w)", "RM_NAME(dw_tiles)[k].stride == r->stride)"),
    Fault(WINDOW, "the rows of a moved image not cleared behind",
          "    memset(y + end * RM_BLOCK, 0, (s->q - end) * RM_BLOCK * sizeof *y);\n", ""),
    Fault(WINDOW, "the second block's channels moved from the first one's",
          "x + run[0] * plane + run[1]", "x + run[0] * 0 + run[1]"),
    Fault(WINDOW, "a sum with the row of another block",
          "g->work + s->res + at;", "g->work + s->res + at % (s->p * s->q * RM_BLOCK);"),
    Fault(FILL, "the border behind a row not cleared",
          "memset(u + before + inside, 0, (row - before - inside) * sizeof *u);", ""),
    Fault(FILL, "the border before a row not cleared",
          "        memset(u, 0, before * sizeof *u);\n", ""),
    Fault(FILL, "the slot of zeros not cleared",
          "    memset(u, 0, RM_NAME(slot)(s) * sizeof *u);\n", ""),
    Fault(STEPS, "the gate not applied to the last pixel",
          "for (int64_t k = 0; k < plane; k++)\n                blk_store(v", "for (int64_t k = 0; k < plane - 1; k++)\n                blk_store(v"),
    Fault(STEPS, "the first row's sum taken for every row of squeeze and excitation",
          "blk_load(g->work + s->sums + (p * s->v_blocks + b) * RM_BLOCK));", "blk_load(g->work + s->sums + b * RM_BLOCK));"),
    Fault(STEPS, "the head's mean over the rows alone",
          "const float share = 1.0f / (float)(s->p * s->q);\n    for (int64_t k = first", "const float share = 1.0f / (float)s->p;\n    for (int64_t k = first"),
    Fault(STEPS, "the sums of a row without its last pixel",
          "for (int64_t q = 0; q < s->q; q++)\n            sum = blk_add(sum, blk_load(y", "for (int64_t q = 0; q < s->q - 1; q++)\n            sum = blk_add(sum, blk_load(y"),
    Fault(STEPS, "a mean in one chain over all pixels",
          "        blk sum = blk_zero();\n        for (int64_t q = 0; q < s->q; q++, x += RM_BLOCK)\n            sum = blk_add(sum, blk_load(x));\n        total = blk_add(total, sum);",
          "        for (int64_t q = 0; q < s->q; q++, x += RM_BLOCK)\n            total = blk_add(total, blk_load(x));"),
    Fault(STEPS, "a row of halo missing where a second thread begins",
          "int64_t next = rm_most(first * s->stride - s->top, 0);", "int64_t next = first ? first * s->stride : 0;"),
    Fault(STEPS, "the bias of the first panel for all",
          ".b = panel.b, .res", ".b = g->weights + m->b, .res"),
    Fault(STEPS, "a projection that begins at the first pixel in every thread",
          "const float *a = f->program->work + s->v + first * RM_BLOCK;", "const float *a = f->program->work + s->v;"),
    Fault(GROUPED, "a shortcut whose second thread begins at the first row",
          "const int64_t plane = s->p * s->q * RM_BLOCK, at = p0 * s->q;", "const int64_t plane = s->p * s->q * RM_BLOCK, at = 0;"),
    Fault(GROUPED, "a lane of the group before taken along",
          "const int64_t from = rm_most(part->from - n * RM_BLOCK, 0)", "const int64_t from = rm_most(part->from - n * RM_BLOCK - 1, 0)"),
    Fault(GROUPED, "a chunk shared by two threads without its halo",
          "r0 = rm_most(p0 * s->stride - s->top, 0);", "r0 = p0 * s->stride;"),
    Fault(GROUPED, "the second row of a band from the first one's window",
          "row + (p - p0) * s->stride", "row + (p - p0) * 0"),
    Fault(GROUPED, "the zeros around a chunk's rows not written",
          "        memset(u, 0, s->u_slots * slot * sizeof *u);", "        (void)u;"),
    Fault(GROUPED, "the sums of a chunk before its activation",
          "    if (s->dw_act > RM_ACT_RELU6)\n        RM_NAME(activate)((int)s->dw_act, (p1 - p0) * s->q, y);\n    RM_NAME(row_sums)(g, s, block, p0, p1, y);",
          "    RM_NAME(row_sums)(g, s, block, p0, p1, y);\n    if (s->dw_act > RM_ACT_RELU6)\n        RM_NAME(activate)((int)s->dw_act, (p1 - p0) * s->q, y);"),
    Fault(STEPS, "the mean of a projection without its sum",
          ".res = s->res < 0 ? NULL : g->work + s->res + m.first * plane", ".res = NULL"),
    Fault(PLAN, "a step with an owner done to its half",
          "s->units * is_own :", "s->units * is_own / 2 :"),
    Fault(PLAN, "the second image read where the first lies",
          ".image = run->x + n * g->image_h", ".image = run->x + 0 * n * g->image_h"),
    Fault(ACT, "swish without its sign",
          "RM_NAME(constant)(RM_MINUS_LOG2E), RM_NAME(constant)(RM_SHIFT)", "blk_mul(RM_NAME(constant)(RM_MINUS_LOG2E), RM_NAME(constant)(RM_MINUS_ONE)), RM_NAME(constant)(RM_SHIFT)"),
    Fault(ACT, "the blocks that are left over not activated",
          "for (; blocks; blocks--, x += RM_BLOCK)", "for (; 0;)"),
)  # fmt: skip
