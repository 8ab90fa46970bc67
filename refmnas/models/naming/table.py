"""One source's names, filled module by module."""

from __future__ import annotations

from ...errors import SpecError

TORCH_BN = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
TF_BN = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean", "var": "moving_variance"}


class Table(dict):
    """Their name -> our name."""

    def __init__(self, dialect):
        super().__init__()
        self.has_conv_bias = dialect.conv_bias

    def conv_bn(self, ours, conv, bn, names=("weight", "bias"), statistics=TORCH_BN, dot="."):
        self[f"{conv}{dot}{names[0]}"] = f"{ours}.conv.w"
        if self.has_conv_bias:
            self[f"{conv}{dot}{names[1]}"] = f"{ours}.conv.b"
        for mine, theirs in statistics.items():
            self[f"{bn}{dot}{theirs}"] = f"{ours}.bn.{mine}"

    def weight_bias(self, ours, module, names=("weight", "bias"), dot="."):
        self[f"{module}{dot}{names[0]}"] = f"{ours}.w"
        self[f"{module}{dot}{names[1]}"] = f"{ours}.b"


def numbered(name, number):
    """TensorFlow's names of equal things: name, name_1, name_2."""
    return f"{name}_{number}" if number else name


def plain_only(spec, source):
    """SpecError where a network has what the source's family has not."""
    kinds = {stage.block for stage in spec.stages}
    if spec.head.hidden or not spec.head.channels or kinds & {"bottleneck", "separable"}:
        raise SpecError(f"names: {source} has no {spec.name}")
