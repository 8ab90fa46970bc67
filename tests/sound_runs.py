"""Sound float32 runs of parts, in any order of summation: what must never be accused."""

import numpy as np

from refmnas.models import build
from refmnas.verify import modules
from refmnas.verify.follow import numpy
from refmnas.verify.part import IMAGE, WEIGHED, Part
from refmnas.verify.parts import of_network

_PLAIN = {
    "scale": lambda x, g: x * g[:, None, None, :],
    "add": lambda *xs: sum(xs[1:], xs[0]),
    "concat": lambda *xs: np.concatenate(xs, axis=-1),
}


def single(a):
    return np.asarray(a, np.float32)


def run(part, inputs, rng=None):
    """One part in float32; with `rng` the channels of its sums in a random order."""
    xs = [single(x) for x in inputs]
    if part.op in WEIGHED:
        w, b = single(part.arrays["w"]), part.arrays.get("b")
        x = xs[0]
        if rng is not None and part.op in ("pointwise", "linear"):
            return _chained(x, w, b, rng)
        if rng is not None and part.op == "conv" and part.options["groups"] == 1:
            order = rng.permutation(w.shape[2])
            x, w = x[..., order], w[:, :, order]
        return numpy(part.op)(x, w, None if b is None else single(b), **part.options)
    if part.op == "batchnorm":
        gamma, beta, mean, var = (single(part.arrays[key]) for key in ("gamma", "beta", "mean", "var"))
        if rng is not None and rng.random() < 0.5:  # scale and shift, as PyTorch has it
            scale = gamma * (np.float32(1) / np.sqrt(var + np.float32(part.options["eps"])))
            return xs[0] * scale + (beta - mean * scale)
        return gamma * (xs[0] - mean) / np.sqrt(var + np.float32(part.options["eps"])) + beta
    if part.op == "act":
        return numpy("activation")(xs[0], **part.options)
    return _PLAIN[part.op](*xs) if part.op in _PLAIN else numpy(part.op)(xs[0], **part.options)


def _chained(x, w, b, rng):
    """One chain of float32 additions for each value, in a random order, the bias anywhere."""
    products = x[..., :, None] * w
    if b is not None:
        products = np.concatenate([products, np.broadcast_to(single(b), (*x.shape[:-1], 1, w.shape[1]))], axis=-2)
    order = rng.permutation(products.shape[-2])
    return np.cumsum(products[..., order, :], axis=-2, dtype=np.float32)[..., -1, :]


def folded(conv, norm):
    """The convolution with the batch norm behind it in its weights, all of it in float32."""
    gamma, beta, mean, var = (single(norm.arrays[key]) for key in ("gamma", "beta", "mean", "var"))
    r = gamma / np.sqrt(var + np.float32(norm.options["eps"]))
    b = single(conv.arrays.get("b", np.zeros(len(gamma))))
    arrays = {"w": single(conv.arrays["w"]) * r, "b": (b - mean) * r + beta}
    return Part(norm.name, conv.op, conv.inputs, norm.shape, arrays, conv.options)


def filled(name, width, source, **options):
    """A network whose statistics are not all zeros and ones."""
    net = build(name, width=width, dialect=source, seed=3, **options)
    rng = np.random.default_rng(4)
    for key, p in net._chain.named_params():
        if key.endswith((".mean", ".beta", ".b")):
            p.value[...] = rng.standard_normal(p.value.shape) * 0.1
        elif key.endswith((".var", ".gamma")):
            p.value[...] = 0.5 + rng.random(p.value.shape)
    return net


def tensors(parts, x):
    values = {IMAGE: x}
    for part in parts:
        values[part.name] = run(part, [values[name] for name in part.inputs])
    return values


def captured(net, size=32, source="torchvision", last=False, seed=0):
    """{their module: tensor} of a sound run of two images, NCHW unless `last`; one name for each part."""
    parts = of_network(net, size)
    x = np.random.default_rng(seed).standard_normal((2, size, size, 3)).astype(np.float32)
    values = tensors(parts, x)
    theirs = {}
    for name, part in modules.of_source(net, parts, source).items():
        theirs.setdefault(part, name)
    found = {name: values[part] for part, name in theirs.items()} | {"input": x}
    return found if last else {name: turned(a) for name, a in found.items()}


def turned(a):
    """NCHW."""
    return np.ascontiguousarray(a.transpose(0, 3, 1, 2)) if a.ndim == 4 else a
