"""The part of a step's record that says what comes before its projection: the rows u, and the convolution over them.

u is a ring of rows in a thread's scratch, or all rows of a plane (csrc/f32_engine_fill.inc.h).
"""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from . import grouped, pack, steps

RUN = 7  # pixels of a depthwise tile: csrc/tiles.py
BAND_ROWS = 2
REACH = 256  # rows before a windowed convolution that a step reaches over: RM_REACH


def record(packer, window, expand, is_band):
    """The fields of a windowed convolution over what an expansion gives, or over a copy of what is stored.

    Raises   SpecError for a kernel that reaches over more rows than C keeps places of.
    """
    h, w, c = window.shape_in
    found = _rows(packer, window, is_band)
    widths = (pack.panels if is_band else pack.halved_panels)(pack.blocks_of(c, packer.block))
    if window.op == "conv":
        found |= grouped.windows(packer, window, found, is_band)
        widths = widths if is_band else grouped.widths(window, packer.block)
    else:
        found["dw_w"], found["dw_b"] = packer.depthwise(window)
    found |= {"x_h": h, "x_w": w, "x_blocks": pack.blocks_of((expand or window).shape_in[2], packer.block)}
    if expand:
        found |= {"fill": steps.FILL_EXPAND, "expand": packer.pointwise(expand, steps.ACTS[expand.act], widths)}
    else:
        found |= {"fill": steps.FILL_COPY, "expand": packer.product(np.zeros((0, c)), np.zeros(c), widths, 0)}
    if not is_band and window.op != "conv":
        row, slot = np.arange(w) + window.pad[2], found["u_blocks"] * found["u_pitch"]
        places = (np.arange(h)[:, None] * slot + row) * packer.block
        found |= {"u_places": packer.tables.add(places), "units": found["expand"]["panel_count"]}
    return found


def behind_stem(packer, window, stem_blocks, stem):
    """The same where the stem fills the ring: always a band."""
    found = _rows(packer, window, True)
    found["dw_w"], found["dw_b"] = packer.depthwise(window)
    return found | stem_rows(packer, stem_blocks, stem)


def stem_rows(packer, stem_blocks, node):
    """The fields of the image's convolution; "u" is where its lines of the image end in a thread's scratch."""
    widths = pack.even_panels(pack.blocks_of(node.shape[2], packer.block), stem_blocks)
    depth = node.kernel * node.kernel * node.shape_in[2]
    product = packer.product(node.w.reshape(depth, -1), node.b, widths, steps.ACTS[node.act], depth=depth)
    top, _, left, right = node.pad
    pitch = (left + node.shape_in[1] + right) * node.shape_in[2]
    room = -(-(node.kernel + 1) * pitch // pack.LINE) * pack.LINE
    return {
        "fill": steps.FILL_STEM, "expand": product, "stem_kernel": node.kernel,
        "stem_stride": node.strides[0], "stem_stride_w": node.strides[1],
        "stem_top": top, "stem_left": left, "stem_pitch": pitch, "stem_lines": 0, "u": room,
    }  # fmt: skip


def _rows(packer, window, is_band):
    """u and the window over it."""
    (h, w, c), (p, q, _), (top, _, left, _) = window.shape_in, window.shape, window.pad
    kernel, (stride, stride_w), blocks = window.kernel, window.strides, pack.blocks_of(c, packer.block)
    rows, least = min(BAND_ROWS, p) if is_band else p, RUN if window.op == "depthwise" else 1
    if (rows - 1) * stride + kernel > REACH:
        raise SpecError(f"compile: {window.name} has a kernel of {kernel}, wanted one that {REACH} rows hold")
    return {
        "u_h": h, "u_w": w, "kernel": kernel, "stride": stride, "stride_w": stride_w,
        "top": top, "left": left, "p": p, "q": q, "rows": rows,
        "u_pitch": max((max(q, least) - 1) * stride_w + kernel, left + w),
        "u_slots": min(h, (rows - 1) * stride + kernel) if is_band else h,
        "u_blocks": blocks if is_band else min(3, blocks),
        "v_blocks": blocks, "units": p, "dw_act": steps.ACTS[window.act],
    }  # fmt: skip
