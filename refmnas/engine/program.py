"""From folded nodes to the steps of a program: what is fused with what, and in which pieces it runs.

A block [expand] -> depthwise -> [squeeze and excitation] -> project [-> add] becomes

    band            all of it, some output rows at a time, where the planes are large: the
                    expanded rows live in a ring
    band, scale, split   with squeeze and excitation: the mean needs all rows first
    slab, [scale,] point or split   where the planes are small: a panel of channels at a time
                    through expansion and depthwise convolution, then the projection

RegNet's block, expand -> grouped convolution -> [squeeze and excitation] -> project,
[shortcut,] add, becomes the same with

    groups          in the place of a slab: some groups at a time through expansion and convolution
    shortcut        before what adds it: the strided 1 x 1 of the block's input, into the place
                    of the sum, which the projection then adds to

The stem fills the first block's ring where that block expands nothing.  The head's mean is
taken from each panel's planes while they are in the cache; where the head has no 1 x 1 of
its own, the last block's projection is it.  A dense layer in between is a point.

Where nodes are no such block, as in networks of cells, each is a step of its own: single.py.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..errors import SpecError
from ..models.fold import IMAGE
from . import agreement, early, fill, grouped, lanes, merge, pack, single, stages, steps
from .blocks import Blocks
from .memory import Buffer, place
from .steps import ACTS, Step

BAND_FROM = 32
SPLIT_FROM = 14  # rows of output from which on a projection is split by pixels, not by channels


def refuse(node):
    """SpecError that names a node."""
    raise SpecError(f"compile: no step of the engine takes {node.op} at {node.name}")


class Builder(Blocks):
    """Reads nodes in order and writes steps; the results of the nodes `stored` are not fused away."""

    def __init__(self, nodes, shape, stored: Collection[str] = ()):
        self.given, self.shape, self.block = list(nodes), shape, shape.block
        self.stored = stored
        wrong = agreement.first_wrong(self.given)
        if wrong is not None:
            refuse(wrong)
        self.softmax = self.given[-1] if len(self.given) > 1 and self.given[-1].op == "softmax" else None
        merged = merge.Merged(self.given[:-1] if self.softmax else self.given, stored)
        self.laid = lanes.Laid(merged.nodes, self.block)
        self.nodes = self.laid.nodes
        if self.softmax and (self.softmax.inputs, self.softmax.act) != ((self.nodes[-1].name,), "identity"):
            refuse(self.softmax)
        self.made_of = merged.made_of
        self._own = {node.name: node for node in self.given}
        self._last_read = {name: k for k, node in enumerate(self.nodes) for name in node.inputs}
        self.packer = pack.Packer(shape.block)
        self.steps: list[Step] = []
        self.sizes: dict[str, int] = {}
        self.kept: dict[str, tuple[int, ...]] = {}  # results that a mean is of and that are stored all the same
        self.scratch = 0
        pixels = max((n.shape_in[0] * n.shape_in[1] for n in self.nodes if len(n.shape_in) == 3 and n.op != "conv"), default=0)
        stem = self.nodes[0].shape
        self.packer.tables.add(np.arange(max(pixels, stem[0] * stem[1])) * self.block)  # first: every plain place

    # -- recognition ----------------------------------------------------------------

    def run(self):
        """All steps; SpecError naming the first node that no step is known for."""
        at = self._stem()
        while at < len(self.nodes):
            at = self._fused(at) or single.write(self, at) or self._refuse(at)
        if self.steps[-1].kind not in (steps.DENSE, steps.SOFTMAX):
            self._refuse(at - 1)
        early.ask(self.steps)
        self.stages = [range(k, k + 1) for k in range(len(self.steps))]
        return self

    def shared(self, threads):
        """The same, its steps ordered in stages for so many threads."""
        self.steps, self.stages = stages.ordered(self.steps, threads, self._whole)
        return self

    def _refuse(self, at):
        refuse(self._own.get(self.nodes[at].name, self.nodes[at]))

    def _stem(self):
        """The first convolution: alone, or as what fills the first block's ring."""
        node = self.nodes[0]
        if node.op != "conv" or node.inputs != (IMAGE,) or node.kernel > 7 or node.groups > 1 or node.shape_in[2] != 3:
            self._refuse(0)
        is_kept = node.name in self.stored or any(node.name in n.inputs for n in self.nodes[2:])
        if self._ops(1, 2) == ["depthwise", "pointwise"] and not is_kept and self._fits(0, self._end(1)):
            return self._block(1, stem=node)
        record = {"units": node.shape[0], **fill.stem_rows(self.packer, self.shape.stem_blocks, node), **self._plane(node)}
        self.scratch = max(self.scratch, record["u"])
        self.emit(steps.STEM, record, (node,), {"y": node.name})
        self.sizes[node.name] = self.floats(node.shape)
        return 1

    def _fused(self, at):
        """The head or a block that begins at `at`; None where there is none."""
        if self._is_head(at):
            return self._head(at) if self._fits(at, len(self.nodes)) else None
        has_expansion = self._ops(at, 2) == ["pointwise", "depthwise"] or self._is_grouped(at)
        window = at + has_expansion
        if not has_expansion and self._ops(at, 1) != ["depthwise"]:
            return None
        end = self._end(window)
        if end is None or not self._fits(at, end):
            return None
        return self._block(window, expand=self.nodes[at] if has_expansion else None)

    def _head(self, at):
        """Pointwise, [shortcut,] [sum,] mean, [dense,] dense."""
        head, (shortcut, add, after) = self.nodes[at], self._summed(at)
        pool, *hidden, dense = self.nodes[after:]
        h, w, _ = head.shape
        project = self.packer.pointwise(head, ACTS[(add or head).act])
        record = {"units": project["panel_count"], "project": project, "v_blocks": self.blocks(head.shape_in[2])}
        buffers = {"v": head.inputs[0], "y": pool.name} | self.residual(head, shortcut, add)
        if add:
            buffers["planes"], self.kept[add.name] = add.name, add.shape
        elif head.name in self.stored:  # once more, by itself: without a sum the mean's step keeps no plane
            self.project(head.shape_in[2], {"project": project}, (head,), {"v": head.inputs[0]})
        self.emit(steps.MEAN, record | self._plane(head), tuple(n for n in (head, add, pool) if n), buffers)
        self.sizes[pool.name] = self.blocks(head.shape[2]) * self.block
        self.scratch = max(self.scratch, 3 * h * w * self.block)
        for node in hidden:
            self.sizes[node.name] = self.blocks(node.shape[0]) * self.block
            self.emit(steps.POINT, self.dense(node), (node,), {"v": node.inputs[0], "y": node.name})
        single.write_last(self, dense)
        return len(self.nodes)

    def dense(self, node):
        """The record of a layer that sees one pixel."""
        widths = pack.wide_panels(self.blocks(node.shape[0]), self.shape.dense_blocks)
        project = self.packer.pointwise(node, ACTS[node.act], widths)
        return {"units": len(widths), "project": project, "v_blocks": self.blocks(node.shape_in[0]), "p": 1, "q": 1}

    def _block(self, at, *, stem=None, expand=None):
        """A windowed convolution at `at`, perhaps squeeze and excitation, projection, perhaps a sum; where to go on."""
        window, after = self.nodes[at], self._after(at)
        excite = self.nodes[at + 1 : after]
        if self._is_head(after):
            self.write_block(stem, expand, window, excite, None, None, None)
            return after
        project, (shortcut, add, end) = self.nodes[after], self._summed(after)
        self.write_block(stem, expand, window, excite, project, shortcut, add)
        return end

    # -- writing ----------------------------------------------------------------------

    def write_block(self, stem, expand, window, excite, project, shortcut, add):
        is_band = stem is not None or window.shape_in[0] >= BAND_FROM
        last, inside = tuple(n for n in (project, add) if n), tuple(n for n in (stem, expand, window) if n)
        is_grouped = window.op == "conv"
        buffers = {} if stem else {"x": (expand or window).inputs[0]}
        if stem:
            record = fill.behind_stem(self.packer, window, self.shape.stem_blocks, stem)
        else:
            record = fill.record(self.packer, window, expand, is_band)
        out = {"project": self.packer.pointwise(project, ACTS[last[-1].act])} if project else {}
        if is_band and not excite and project:
            record |= out | {"is_private": 1, "v": self._behind(record)}
            self._room(record, record["rows"] * window.shape[1] * self.blocks(window.shape[2]) * self.block)
            residual = self.residual(project, shortcut, add)
            self.emit(steps.BAND, record, (*inside, *last), buffers | residual | {"y": last[-1].name})
            return
        v, sums = f"{window.name}/v", f"{window.name}/sums"
        v = v if project else [window, *excite][-1].name
        self.sizes[v] = self.floats(window.shape)
        if excite:
            self.sizes[sums] = window.shape[0] * self.blocks(window.shape[2]) * self.block
            record["is_summed"], buffers["sums"] = 1, sums
        self._room(record, 0)
        self.emit(steps.BAND if is_band else steps.GROUPS if is_grouped else steps.SLAB, record, inside, buffers | {"v": v})
        if excite:
            self._excite(excite, window, {"v": v, "sums": sums})
        if not project:
            return
        self.project(window.shape[2], out, last, {"v": v} | self.residual(project, shortcut, add))

    def project(self, c_in, out, nodes, buffers):
        """A 1 x 1 convolution, perhaps a sum, as a step of its own."""
        plain = {"v_blocks": self.blocks(c_in), **self._plane(nodes[-1]), **out}
        kind = steps.SPLIT if plain["p"] >= SPLIT_FROM else steps.POINT
        plain["units"] = out["project"]["panel_count"] if kind == steps.POINT else plain["p"] * plain["q"]
        self.emit(kind, plain, nodes, buffers | {"y": nodes[-1].name})

    def residual(self, project, shortcut, add):
        """What the projection adds; a shortcut's step writes it where the sum will be."""
        stored = add or project
        self.sizes[stored.name] = self.floats(stored.shape)
        if shortcut is None:
            return {"res": self.other(add, project)} if add else {}
        record = grouped.shortcut(self.packer, shortcut, ACTS[shortcut.act])
        self.emit(steps.SHORTCUT, record, (shortcut,), {"x": shortcut.inputs[0], "y": add.name})
        return {"res": add.name}

    def _excite(self, nodes, window, buffers):
        """The scale step."""
        _, squeeze, excite, scale = nodes
        blocks = self.blocks(window.shape[2])
        small = self.blocks(squeeze.shape[0])
        widths = pack.wide_panels(blocks, self.shape.dense_blocks)
        record = {
            "squeeze": self.packer.pointwise(squeeze, ACTS[squeeze.act], pack.wide_panels(small, self.shape.dense_blocks)),
            "excite": self.packer.pointwise(excite, ACTS[excite.act], widths),
            "squeeze_blocks": small, "v_blocks": blocks, "units": len(widths), **self._plane(window),
        }  # fmt: skip
        self.scratch = max(self.scratch, (blocks + small) * self.block)
        self.emit(steps.SCALE, record, (squeeze, excite, scale), buffers)

    def _behind(self, record):
        """Where a thread's ring ends in its scratch, the slot of zeros included."""
        return record.get("u", 0) + (record["u_slots"] + 1) * record["u_blocks"] * record["u_pitch"] * self.block

    def _room(self, record, more):
        self.scratch = max(self.scratch, self._behind(record) + more)

    def _plane(self, node):
        return {"p": node.shape[0], "q": node.shape[1]}

    def blocks(self, channels):
        return pack.blocks_of(channels, self.block)

    def floats(self, shape):
        return shape[0] * shape[1] * self.blocks(shape[2]) * self.block

    def emit(self, kind, record, nodes, buffers):
        names = tuple(name for node in nodes for name in self.made_of.get(node.name, (node.name,)))
        own = [self._own[name] for name in names if name in self._own]
        macs = sum(n.macs for n in own)
        asking = sum(n.macs for n in own if n.op != "conv")
        size = 4 * sum(n.w.size + n.b.size for n in own if n.w is not None)
        shape = nodes[-1].shape if not own else own[-1].shape
        self.steps.append(Step(kind, record, names, shape, macs, asking, size, buffers))

    @property
    def merged(self):
        """Names of nodes whose results are computed with an activation that follows, and stored with it alone."""
        return {name for names in self.made_of.values() for name in names} - set(self.made_of)

    def stored_shapes(self):
        """{name: (H, W, C), or (C,)} of every result that a step stores."""
        found = {s.buffers["y"]: s.shape for s in self.steps if "y" in s.buffers}
        found |= {node.name: self._own[node.name].shape for node in self.nodes if node.op == "concat"} | self.kept
        return {name: shape for name, shape in found.items() if name in self._own}

    def buffers(self, kept=()):
        """Every buffer with its life, placed, those named `kept` until the end; and the floats of all together."""
        found: dict[str, Buffer] = {}
        kept = {self._whole(name) for name in kept}
        for stage in self.stages:
            for name in {self._whole(name): None for k in stage for name in self.steps[k].buffers.values()}:
                buffer = found.setdefault(name, Buffer(name, self.sizes[name], stage[0], stage[-1]))
                buffer.last = len(self.steps) if name in kept else stage[-1]
        size = place(found.values())
        return found | {part.name: part for part in self._parts(found)}, size

    def _whole(self, name):
        """The buffer that a tensor lies in."""
        return self.laid.places[name][0] if name in self.laid.places else name

    def _parts(self, found):
        """Tensors that lie in the buffers of others."""
        for node in self.nodes:
            if node.name in self.laid.places:
                whole, blocks = self.laid.places[node.name]
                at = found[whole].at + blocks * node.shape[0] * node.shape[1] * self.block
                yield Buffer(node.name, self.sizes[node.name], found[whole].first, found[whole].last, at)
