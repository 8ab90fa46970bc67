"""Codes of the image, of precision and of kernels."""

from .code import Code

CODES = (
    Code(
        "PRE-SCALE",
        "The image is scaled otherwise: another mean or std, 0..255 for 0..1, the variance taken for std, "
        "127 / 128 for ImageNet's.",
        "The first layer is wrong and all others are right; it agrees with an affine map of each image channel.",
        "Take the preprocessing of the weights' source.",
        "gen-efficientnet-pytorch#33, #54; keras-efficientnets#21; tensorflow#49930; hub#821",
        ("preprocessing", "PRE-CHANNELS"),
    ),
    Code(
        "PRE-CHANNELS",
        "The image's channels, rows or columns are in another order: BGR for RGB, mirrored, transposed.",
        "The first layer is wrong and all others are right; it agrees with a permutation of the image's channels, or a flip.",
        "Hand the image over as RGB, in NHWC or NCHW as the network wants it.",
        "qubvel/classification_models#4; MNN#1016; TensorRT#657",
        ("preprocessing", "PRE-SCALE"),
    ),
    Code(
        "PRE-RESIZE",
        "The photograph was resized or cropped otherwise: another kernel, antialias, half pixels, crop fraction.",
        "The first layer is wrong and all others are right; no affine map of the channels explains it, "
        "and the image that was fed is close to the one meant.",
        "Name the kernel, whether it is antialiased, and the crop; capture the tensor that was fed.",
        "vision#2950; doctr#402; transformers#42860; tensorflow#6720, #18112",
        ("resize", "preprocessing"),
    ),
    Code(
        "PREC-FP16",
        "Half precision (10 bits of mantissa, 5 of exponent) in operands, accumulation or output.",
        "Unbiased, no structure in space; a re-run with the operands rounded to fp16 agrees, or all "
        "values of the output are fp16 numbers.",
        "Claim it (--claim fp16), or switch it off for this layer.",
        "caffe#143; coremltools#2625",
        ("bounds", "PREC-TF32"),
    ),
    Code(
        "PREC-BF16",
        "bfloat16 (7 bits of mantissa) in operands or output.",
        "As PREC-FP16, eight times larger; a re-run with the operands rounded to bf16 agrees.",
        "Claim it (--claim bf16), or switch it off (oneDNN's and XLA's default matmul precision).",
        "tensorflow#117663, #127346; mlx#4242",
        ("bounds", "PREC-TF32"),
    ),
    Code(
        "PREC-TF32",
        "TF32 operands (10 bits of mantissa, the exponent of float32), rounded or truncated.",
        "As PREC-FP16, without its range.",
        "Claim it (--claim tf32), or set torch.backends.*.allow_tf32 = False.",
        "pytorch#79270, #129649",
        ("bounds", "PREC-FP16"),
    ),
    Code(
        "FTZ",
        "Denormal numbers, below 2^-126, are taken for zero.",
        "Wrong only where operands or results are below 2^-126, and 0 there.",
        "Leave MXCSR's FTZ and DAZ off, or scale the data.",
        "pytorch#19652; pytorch#115184",
        ("bounds",),
    ),
    Code(
        "TILE",
        "Single elements, a pixel, a rectangle or a band of the output are wrong or not computed: a kernel's tile.",
        "A few elements are wrong in a compact place, and no re-run explains them.",
        "Look at the loop bounds of the tile, and at memory that two threads write.",
        "modular#6248; vllm-xpu-kernels#454",
        ("TAIL",),
    ),
    Code(
        "TAIL",
        "The last channels or columns, those beyond a multiple of the vector's lanes, are wrong.",
        "Wrong only in the last C mod lanes channels (or the last columns), at every pixel.",
        "Mask the tail; never read or write whole vectors beyond the end.",
        "Tengine#369; CompiledNN#16",
        ("TILE",),
    ),
    Code(
        "DROP-ACTIVE",
        "Dropout or drop-path is active in inference.",
        "The layer after it agrees with an input of which some entries are 0 and all others 1 / (1 - p) times as large.",
        "Call eval(), and do not use the functional form with training=True.",
        "SimpleNet#2; ethos-ares#20; detr#498",
        ("drop-path", "BN-STATS"),
    ),
    Code(
        "UNKNOWN",
        "A fault is proved, and none of the causes tried explains it.",
        "The margin stays above 1 under every candidate.",
        "Capture more tensors around the layer, and look at where the bad elements lie.",
        "",
        ("bounds",),
    ),
    Code(
        "QUANT-ROUND",
        "Requantisation rounds otherwise: once or twice, half up, to even or away from zero.",
        "Off by one at predicted accumulator values only.",
        "Reserved: int8 is not judged yet.",
        "LiteRT#7441, #8567; tensorflow#59859, #102943, #103028; TVM#2351, #3900, #4828, #15929",
        reserved=True,
    ),
    Code(
        "QUANT-SAT",
        "Saturation or a zero point at another place of the integer pipeline.",
        "Wrong at the ends of the range only.",
        "Reserved: int8 is not judged yet.",
        "onnxruntime#11759, #11883, #18576, #25045; onnx#4225",
        reserved=True,
    ),
)
