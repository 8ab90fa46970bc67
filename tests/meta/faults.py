"""Faults planted by hand: each must be caught by the properties claimed of its op.

A fault is one change of one text, of the kind that is really made and that looks
right at a glance.  Its anchor must occur exactly once, so that a fault cannot fade
away unnoticed when the text changes.
"""

# ruff: noqa: E501  (an anchor is a line of the text it changes)

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """`old` becomes `new` in one text of `function`."""

    function: str  # "depthwise.backward": what is claimed of it must fail
    text: str  # "oracle", "numpy", or the name of a C source
    old: str
    new: str
    what: str  # the mistake, in words

    @property
    def op(self):
        """The op's name."""
        return self.function.split(".")[0]

    def __str__(self):
        return f"{self.function} [{self.text}]: {self.what}"


def F(function, text, what, old, new):
    """A fault, its words first: they are what a reader looks for."""
    return Fault(function, text, old, new, what)


ORACLE = (
    F("depthwise.forward", "oracle", "padding taken from the wrong side of the columns",
      "    top, bottom, left, right = pad\n", "    top, bottom, right, left = pad\n"),
    F("depthwise.forward", "oracle", "last column of the image outside",
      "0 <= s < W:\n                                total", "0 <= s < W - 1:\n                                total"),
    F("depthwise.backward", "oracle", "rows and columns of the weight exchanged where both exist",
      "dw[i, j, c] += d * float(x[n, r, s, c])", "dw[min(j, Kh - 1), min(i, Kw - 1), c] += d * float(x[n, r, s, c])"),
    F("conv.forward", "oracle", "every output reads the first group",
      "                    g = d // (D // groups)\n                    total", "                    g = 0\n                    total"),
    F("conv.backward", "oracle", "the gradient's group by the remainder",
      "                    g = d // (D // groups)\n                    t =", "                    g = d % groups\n                    t ="),
    F("pointwise.backward", "oracle", "the weight's gradient of the last pixel only",
      "dw[c, d] += t * float(x[n, h, v, c])", "dw[c, d] = t * float(x[n, h, v, c])"),
    F("batchnorm.forward", "oracle", "unbiased variance in the normalisation",
      "        var[c] /= len(pixels)", "        var[c] /= max(len(pixels) - 1, 1)"),
    F("batchnorm.forward", "oracle", "eps outside the root",
      "rstd[c] = 1.0 / math.sqrt(var[c] + eps)", "rstd[c] = 1.0 / (math.sqrt(var[c]) + eps)"),
    F("batchnorm.backward", "oracle", "the mean's own gradient dropped",
      "float(dy[(*k, c)]) - dbeta[c] - z * dgamma[c]", "float(dy[(*k, c)]) - z * dgamma[c]"),
    F("batchnorm.backward", "oracle", "the variance's own gradient dropped",
      "- dbeta[c] - z * dgamma[c]", "- dbeta[c]"),
    F("batchnorm.running", "oracle", "momentum is the weight of the old statistic",
      "new_mean[c] = (1.0 - momentum) * float(running_mean[c]) + momentum * float(mean[c])",
      "new_mean[c] = momentum * float(running_mean[c]) + (1.0 - momentum) * float(mean[c])"),
    F("activation.backward", "oracle", "relu passes the gradient at 0",
      "dx[k] = t if v > 0 else 0.0", "dx[k] = t if v >= 0 else 0.0"),
    F("activation.forward", "oracle", "hard-swish of the keras hard-sigmoid",
      "y[k] = v * min(max(v + 3.0, 0.0), 6.0) / 6.0", "y[k] = v * min(max(0.2 * v + 0.5, 0.0), 1.0)"),
    F("pool.forward", "oracle", "mean over the rows alone",
      "y[n, c] = total / (H * W)", "y[n, c] = total / (H * H)"),
    F("average_pool.forward", "oracle", "the padded count where the image's is meant",
      "if not count_pad and 0 <= r < H and 0 <= s < W:", "if not count_pad and r < H + bottom and s < W + right:"),
    F("average_pool.forward", "oracle", "what ceil's last window has beyond the padding is counted",
      "if count_pad and r < H + bottom and s < W + right:", "if count_pad:"),
    F("max_pool.backward", "oracle", "the last of equal maxima has the gradient",
      "if place is None or v > best or", "if place is None or v >= best or"),
    F("max_pool.forward", "oracle", "padding wins where all is negative",
      "    place, best = None, 0.0\n", "    place, best = (max(p * stride - top, 0), max(q * stride - left, 0)), 0.0\n"),
    F("resize.forward", "oracle", "half a pixel forgotten in the place",
      "above, below = (2 * p + 1) * H - P, 2 * P", "above, below = 2 * p * H, 2 * P"),
    F("resize.backward", "oracle", "a tie goes the other way",
      "2 * rest >= below", "2 * rest > below"),
    F("concat.backward", "oracle", "the second part's gradient from the start",
      "db[(*k, c)] = dy[(*k, A + c)]", "db[(*k, c)] = dy[(*k, c)]"),
    F("softmax.backward", "oracle", "the Jacobian's diagonal alone",
      "dx[n, k] = y[n, k] * (float(dy[n, k]) - shared)", "dx[n, k] = y[n, k] * (1 - y[n, k]) * float(dy[n, k])"),
    F("gate.backward", "oracle", "the gate's gradient summed over the image of another sample",
      "dg[n, c] += t * float(x[n, h, v, c])", "dg[n, c] += t * float(x[N - 1 - n, h, v, c])"),
    F("linear.backward", "oracle", "the bias takes x's share",
      "            db[d] += t\n", "            db[d] += t * float(x[n, 0]) if C else t\n"),
    F("softmax_xent.forward", "oracle", "smoothing shared among the other classes",
      "smoothing / K * centred", "smoothing / max(K - 1, 1) * (centred - own)"),
    F("dropout.backward", "oracle", "gradient unscaled",
      "dx[k] = float(dy[k]) * float(mask[k]) / (1.0 - rate)", "dx[k] = float(dy[k]) * float(mask[k])"),
    F("drop_path.forward", "oracle", "one decision for the whole batch",
      "float(x[k]) * float(mask[k[0]]) / (1.0 - rate)", "float(x[k]) * float(mask[0]) / (1.0 - rate)"),
)  # fmt: skip

NUMPY = (
    F("depthwise.forward", "numpy", "dilation of the columns only",
      ":, ::dilation, ::dilation]", ":, :: 1 + 0 * dilation, ::dilation][..., : kernel[0], :]"),
    F("depthwise.forward", "numpy", "the kernel turned by half a turn: convolution for correlation",
      '"npqckl,klc->npqc", _windows(x, w.shape, stride, pad, dilation), w)',
      '"npqckl,klc->npqc", _windows(x, w.shape, stride, pad, dilation), w[::-1, ::-1])'),
    F("depthwise.backward", "numpy", "stride where dilation belongs",
      "r, s = i * dilation, j * dilation", "r, s = i * dilation, j * (stride if stride < dilation else dilation)"),
    F("depthwise.backward", "numpy", "db of the first image only",
      "dw, dy.sum(axis=(0, 1, 2)))", "dw, dy[:1].sum(axis=(0, 1, 2)))"),
    F("depthwise.backward", "numpy", "the gradient cut from the wrong side",
      "return dx[:, top : top + H, left : left + W]", "return dx[:, top : top + H, right : right + W]"),
    F("conv.forward", "numpy", "taps in the order of columns",
      ".transpose(3, 0, 1, 2, 5, 6, 4)", ".transpose(3, 0, 1, 2, 6, 5, 4)"),
    F("conv.forward", "numpy", "channels of the groups interleaved",
      "return a.reshape(len(a), groups, a.shape[1] // groups).transpose(1, 0, 2)",
      "return a.reshape(len(a), a.shape[1] // groups, groups).transpose(2, 0, 1)"),
    F("conv.backward", "numpy", "the first tap's column skipped",
      "for i, j in np.ndindex(Kh, Kw):\n", "for i, j in list(np.ndindex(Kh, Kw))[Kw > 2 :]:\n"),
    F("conv.backward", "numpy", "the weight's gradient averaged over the batch",
      "columns.transpose(0, 2, 1) @ rows)", "columns.transpose(0, 2, 1) @ rows / max(len(x), 1))"),
    F("pointwise.backward", "numpy", "bias averaged over the batch",
      "_rows(dy).sum(axis=0))", "_rows(dy).sum(axis=0) / max(len(dy), 1))"),
    F("batchnorm.forward", "numpy", "variance as the mean of squares less the squared mean",
      "np.square(x - mean).mean(axis=axes)", "np.square(x).mean(axis=axes) - np.square(mean)"),
    F("batchnorm.backward", "numpy", "the mean term dropped",
      "(m * dy - dbeta - z * dgamma)", "(m * dy - z * dgamma)"),
    F("batchnorm.backward_eval", "numpy", "the input's gradient of training",
      "return Grads(gamma * rstd * dy, dgamma, dy.sum(axis=axes))",
      "return Grads(gamma * rstd * (dy - dy.mean(axis=axes)), dgamma, dy.sum(axis=axes))"),
    F("batchnorm.forward_eval", "numpy", "eps outside the root",
      "(x - mean) * (1 / np.sqrt(var + eps)) + beta", "(x - mean) * (1 / (np.sqrt(var) + eps)) + beta"),
    F("batchnorm.running", "numpy", "biased variance kept",
      "batch = var * (count / (count - 1)) if unbiased else var", "batch = var"),
    F("activation.backward", "numpy", "relu6 passes the gradient at 6",
      "_where((x > 0) & (x < 6), dy)", "_where((x > 0) & (x <= 6), dy)"),
    F("activation.backward", "numpy", "the kink rules exchanged",
      'size <= 2.5 if kink == "tf"', 'size <= 2.5 if kink == "torch"'),
    F("activation.backward", "numpy", "swish without its second term",
      "dy * _sigmoid(x) * (1 + x * _sigmoid(-x))", "dy * _sigmoid(x)"),
    F("activation.forward", "numpy", "sigmoid that loses the small values",
      "return np.where(x >= 0, 1, e) / (1 + e)", "return np.where(x >= 0, 1 / (1 + e), 1 - 1 / (1 + e))"),
    F("pool.backward", "numpy", "the gradient not shared out",
      "share = dy / (x.shape[1] * x.shape[2])", "share = dy / x.shape[1]"),
    F("average_pool.backward", "numpy", "rows and columns of the count exchanged",
      "rows[:, None] * columns)", "rows.mean() * rows.mean() + 0 * rows[:, None] * columns)"),
    F("average_pool.forward", "numpy", "count_pad forgets the padding above",
      "least, most = (-before, size + after)", "least, most = (0, size + after)"),
    F("max_pool.forward", "numpy", "padding is zero",
      "windows = _taps(x, kernel, stride, pad, ceil, -np.inf)\n    return", "windows = _taps(x, kernel, stride, pad, ceil, 0)\n    return"),
    F("max_pool.backward", "numpy", "every one of equal maxima has the gradient",
      "np.where(first == number, dy,", "np.where(windows[..., number] == windows.max(axis=4), dy,"),
    F("resize.forward", "numpy", "align_corners of the number of pixels, not of gaps",
      "above, below = p * (H - 1), max(P - 1, 1)", "above, below = p * (H - 1), P"),
    F("resize.backward", "numpy", "a pixel gathers from one place alone",
      "np.add.at(dx, at, dy * _weights(a, b, dy.dtype))", "dx[at] += dy * _weights(a, b, dy.dtype)"),
    F("concat.forward", "numpy", "the parts exchanged", "np.concatenate([a, b], axis=-1)", "np.concatenate([b, a], axis=-1)"),
    F("softmax.forward", "numpy", "the peak of the whole batch, which lets a row underflow",
      "    e = np.exp(x - x.max(axis=1, keepdims=True))\n    return e / e.sum",
      "    e = np.exp(x - (x.max() if x.size else 0))\n    return e / e.sum"),
    F("gate.backward", "numpy", "the gate's gradient as a mean",
      'np.einsum("nhvc,nhvc->nc", dy, x))', '(dy * x).mean(axis=(1, 2)) if x.size else dy.sum(axis=(1, 2)))'),
    F("gate.backward", "numpy", "the second path dropped",
      "return Grads(dy * g[:, None, None, :], np", "return Grads(dy.copy(), np"),
    F("linear.backward", "numpy", "the bias of the last sample",
      "x.T @ dy, dy.sum(axis=0))", "x.T @ dy, dy[-1:].sum(axis=0))"),
    F("softmax_xent.backward", "numpy", "smoothing over K - 1 classes",
      "np.full(x.shape, smoothing / x.shape[1], x.dtype)", "np.full(x.shape, smoothing / max(x.shape[1] - 1, 1), x.dtype)"),
    F("softmax_xent.forward", "numpy", "the peak of the whole batch",
      "x.max(axis=1, keepdims=True)", "(x.max() if x.size else 0) * np.ones((len(x), 1), x.dtype)"),
    F("dropout.forward", "numpy", "kept values unscaled", "return x * mask / (1 - rate)", "return x * mask"),
    F("drop_path.backward", "numpy", "scaled by the rate, not by what is kept",
      "_per_sample(mask, dy) / (1 - rate)", "_per_sample(mask, dy) / (rate or 1)"),
)  # fmt: skip
