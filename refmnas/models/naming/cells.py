"""What NASNet-A's publishers call its arrays: {their name: our name}.

    pretrainedmodels  0.7.4, nasnet.py and nasnet_mobile.py
    timm              1.0.31, nasnet.py: the large one, with the same names
    slim              the scopes of nasnet.py and nasnet_utils.py; no checkpoint was read
"""

from __future__ import annotations

from ...errors import SpecError
from .. import cells
from ..cell_spec import CellSpec
from .inventory import of as arrays_of
from .table import TF_BN, TORCH_BN

_TORCH = TORCH_BN | {"w": "weight", "b": "bias"}
_TORCH_CELLS = 6  # a stage begins at a multiple of it, in the network of 4 as in that of 6 cells


def pretrainedmodels(spec, dialect):
    """`cell_stem_0.conv_1x1.conv`, `cell_7.comb_iter_0_left.separable_1.depthwise_conv2d`."""
    return _table(spec, dialect, "pretrainedmodels", _torch)


def timm(spec, dialect):
    """The same names."""
    return _table(spec, dialect, "timm", _torch)


def slim(spec, dialect):
    """`cell_stem_0/1x1/weights`, `cell_7/comb_iter_0/left/separable_5x5_1/depthwise_weights`."""
    return _table(spec, dialect, "slim", _slim)


def _table(spec, dialect, source, name_of):
    if not isinstance(spec, CellSpec) or source not in spec.sources:
        raise SpecError(f"names: {source} has no {spec.name}")
    if spec.auxiliary and name_of is _torch:
        raise SpecError(f"names: {source} has no auxiliary head of {spec.name}")
    ours = list(arrays_of(spec, dialect))
    halved = {name.rpartition(".path_1.")[0] for name in ours if ".path_1." in name}  # factorised reductions
    return {name_of(name, spec, halved): name for name in ours}


def _torch(ours, spec, halved):
    node, *inside, leaf = ours.split(".")
    last = _TORCH[leaf]
    if node == "head":
        return f"last_linear.{last}"
    if node == "stem":
        return f"conv0.{inside[0]}.{last}"
    kind, number = node.split("_")
    k = int(number)
    if kind == "cell":
        k = k // spec.repeats * _TORCH_CELLS + k % spec.repeats
    at = {"stem": "cell_stem", "reduction": "reduction_cell", "cell": "cell"}[kind] + f"_{k}"
    part, *rest = inside
    if part == "h0":
        return f"{at}.conv_1x1.{rest[0]}.{last}"
    if f"{node}.{part}" in halved:
        theirs = {"path_1": "path_1.conv", "path_2": "path_2.conv", "bn": "final_path_bn"}
        return f"{at}.{theirs[rest[0]]}.{last}"
    if part == "h1":
        return f"{at}.conv_prev_1x1.{rest[0]}.{last}"
    h, side = part.split("_")
    word, step = rest[0][:-1], rest[0][-1]
    layer = f"bn_sep_{step}" if word == "bn" else f"separable_{step}.{word}_conv2d"
    return f"{at}.comb_iter_{int(h[1:]) - 2}_{side}.{layer}.{last}"


def _slim(ours, spec, halved):
    node, *inside, leaf = ours.split(".")
    last = TF_BN.get(leaf, {"w": "weights", "b": "biases"}.get(leaf))
    if node == "head":
        return f"final_layer/FC/{last}"
    if node == "stem":
        word = "conv0" if spec.stem_cells else "l1_stem_3x3"
        norm = "conv0_bn" if spec.stem_cells else "l1_stem_bn"
        return f"{norm if inside[0] == 'bn' else word}/{last}"
    if node == "auxiliary":
        scopes = {"project": "proj", "bn1": "aux_bn0", "conv": "Conv", "bn2": "aux_bn1", "dense": "FC"}
        return f"aux_{cells.auxiliary_at(spec).removeprefix('cell_')}/aux_logits/{scopes[inside[0]]}/{last}"
    kind, number = node.split("_")
    at = {"stem": "cell_stem", "reduction": "reduction_cell", "cell": "cell"}[kind] + f"_{number}"
    part, *rest = inside
    at += f"/cell_output/reduction_{part[1]}" if part.endswith("_end") else ""
    if f"{node}.{part}" in halved:
        scopes = {"path_1": "path1_conv", "path_2": "path2_conv", "bn": "final_path_bn"}
    elif part in ("h0", "h1"):
        scopes = {"conv": "1x1", "bn": "beginning_bn"} if part == "h0" else {"conv": "prev_1x1", "bn": "prev_bn"}
    elif part.endswith("_end"):
        scopes = {"conv": "path_conv", "bn": "path_bn"}
    else:
        return f"{at}/{_slim_operation(part, rest[0], spec.normal if kind == 'cell' else spec.reduction, last)}"
    return f"{at}/{scopes[rest[0]]}/{last}"


def _slim_operation(part, layer, genotype, last):
    """Within a cell: the scope of one operation's layer."""
    h, side = part.split("_")
    number = int(h[1:]) - 2
    at = f"comb_iter_{number}/{side}"
    if layer in ("conv", "bn"):
        return f"{at}/{'1x1' if layer == 'conv' else 'bn_1'}/{last}"
    kernel, word, step = genotype.sums[number][0 if side == "left" else 2][3:], layer[:-1], layer[-1]
    if word == "bn":
        return f"{at}/bn_sep_{kernel}x{kernel}_{step}/{last}"
    return f"{at}/separable_{kernel}x{kernel}_{step}/{word}_{last}"
