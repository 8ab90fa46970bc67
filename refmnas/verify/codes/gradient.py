"""Codes of gradients alone; other causes have in gradients the codes that they have forward."""

from .code import Code

CODES = (
    Code(
        "GRAD-BN-MEAN",
        "In training the gradient of batch norm lacks the term of the mean: dbeta / m is not taken off.",
        "dx does not sum to 0 over the pixels of a channel; re-run without the term it agrees.",
        "dx = gamma * rstd * (dy - mean(dy) - z * mean(dy * z)); the mean is of the batch and depends on x.",
        see=("BN-STATS", "GRAD-BN-VAR"),
    ),
    Code(
        "GRAD-BN-VAR",
        "In training the gradient of batch norm lacks the term of the variance: z * dgamma / m is not taken off.",
        "The sum of dx * z over the pixels of a channel is not near 0; re-run without the term it agrees.",
        "dx = gamma * rstd * (dy - mean(dy) - z * mean(dy * z)); the variance is of the batch and depends on x.",
        see=("BN-STATS", "GRAD-BN-MEAN"),
    ),
    Code(
        "GRAD-SE-PATH",
        "Squeeze and excitation multiplies x by a gate that is made of x: one of the two ways back to x is left out.",
        "The gradient of what is squeezed agrees with one of the two terms alone.",
        "dx = dy * g + ds / (H * W), ds what comes back through the gate's layers.",
        see=("SE-MISSING", "RES-MISSING"),
    ),
    Code(
        "GRAD-SUM",
        "A gradient is summed where it was to be averaged or the other way round, or accumulated twice.",
        "It agrees after one whole factor: 2, the images of the batch, the pixels, or one over them.",
        "Set gradients to 0 before each step, sum over all pixels and images, and divide by the batch once, in the loss.",
        see=("POOL", "GRAD-MISSING"),
    ),
    Code(
        "GRAD-FLIP",
        "The taps of a kernel are flipped in a gradient: correlation where a convolution was meant, or the other way round.",
        "dx agrees with the flipped weights, or dw after it is flipped.",
        "Forward is a correlation, so dx is a full convolution with the taps reversed in both axes, and dw is not reversed.",
        see=("LAYOUT-WEIGHT", "STRIDE-PHASE"),
    ),
    Code(
        "GRAD-MISSING",
        "A gradient is not computed or was never written: all of it is 0.",
        "Every element is 0 where the reference has others.",
        "Look whether the parameter is registered, and whether the tensor was detached.",
        see=("GRAD-SUM",),
    ),
)
