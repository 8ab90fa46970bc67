"""Codes of batch norm, biases and weights."""

from .code import Code

CODES = (
    Code(
        "BN-EPS",
        "Batch norm's eps is another: 1e-3 (TensorFlow) for 1e-5 (PyTorch), or the other way round.",
        "One factor per channel, sqrt((v + e1) / (v + e2)), worst where the running variance v is tiny; a "
        "single value of eps explains all channels.",
        "Keep eps with the weights and set it when the module is built.",
        "mindcv#230, #231; keras-yolo3#451; ademxapp#4; ncnn#218",
        ("bn-eps", "BN-FOLD"),
    ),
    Code(
        "BN-STATS",
        "Batch norm uses the batch's own statistics (training mode) where the running ones were meant, or "
        "statistics that were never filled.",
        "An affine map per channel; re-run with the mean and variance of the captured input it agrees.",
        "Call eval() before inference and before exporting.",
        "onnxruntime#3873, #26584, #29790; pytorch#41231; onnx#5590, #5799, #8442",
        ("bn-momentum", "BN-VAR"),
    ),
    Code(
        "BN-VAR",
        "The running variance is biased where unbiased was meant or the other way round, or a standard "
        "deviation is taken for a variance.",
        "One factor per channel; the same ratio count / (count - 1) in all channels, or var read as its square or root.",
        "Multiply or divide by count / (count - 1), count = N * H * W of the training step; store variances.",
        "pytorch#1410, #60528, #77427, #106366; keras#9028; tinygrad#807; returnn#1539",
        ("bn-variance", "BN-EPS"),
    ),
    Code(
        "BN-BETA",
        "Batch norm's beta or gamma is not applied (center=False, scale=False), or another array stands in its place.",
        "A constant per channel (beta) or a factor per channel (gamma) that is the parameter itself.",
        "Load gamma and beta, both; look whether the source has them.",
        "",
        ("bn-eps", "BN-FOLD"),
    ),
    Code(
        "BN-FOLD",
        "Batch norm was folded into the convolution with a mistake: the bias missed the factor, the mean "
        "was forgotten, eps was left out or added outside the root.",
        "A constant offset per channel (or a factor); the convolution's own output is right where it can be seen.",
        "b' = beta + (b - mean) * gamma / sqrt(var + eps), w' = w * gamma / sqrt(var + eps).",
        "mmcv#747; onnx/optimizer#255; yolov3#807; pytorch#121470, #145296",
        ("BIAS-MISSING",),
    ),
    Code(
        "BIAS-MISSING",
        "A layer's bias is not added, is added twice or with the other sign.",
        "A constant per channel that is the bias itself, the same at every pixel and in every image.",
        "Load and add the bias once.",
        "",
        ("BN-BETA", "BN-FOLD"),
    ),
    Code(
        "EMA-RAW",
        "The raw weights stand where their exponential moving average was meant, or the other way round.",
        "All layers with weights differ by a little, none exactly: the relative change of every array is "
        "small and unstructured.",
        "Load the variables that end in /ExponentialMovingAverage; moving mean and variance, too.",
        "qubvel/efficientnet#19; tpu#818; automl#168, #632",
        ("names", "WEIGHT-STALE"),
    ),
    Code(
        "WEIGHT-SWAP",
        "Two arrays of one shape, two channels or two taps are exchanged.",
        "The layer agrees with the weights of another layer of the same shape (and that one with its "
        "own), or after two entries are exchanged.",
        "Look at the table of names: two keys of it are crossed.",
        "",
        ("names", "LAYOUT-WEIGHT"),
    ),
    Code(
        "WEIGHT-STALE",
        "The implementation ran with other weights than those given: an older file, fresh initial values, "
        "pruned or changed entries.",
        "A linear layer agrees with weights solved from its own inputs and outputs; they are not those of "
        "the file. Most layers at once, or a few entries of one.",
        "Give the file that the run was made with, or load it before the run.",
        "pytorch#31471; vision#829, #1163",
        ("names", "EMA-RAW", "WEIGHT-SWAP"),
    ),
    Code(
        "CLASS-SHIFT",
        "Classes are numbered from another origin: 1001 with a background class against 1000.",
        "The logits agree after they are shifted by one place.",
        "Drop row 0 of TensorFlow's 1001 classes, or shift the labels.",
        "tpu#521, #507, #594; tensorflow#7370; hub#574; rknn#241",
        ("class-offset",),
    ),
)
