"""Codes of windows and layouts: where a convolution or a pool reads, and in which order its arrays lie."""

from .code import Code

CODES = (
    Code(
        "PAD-SAME",
        "A strided window is padded by TensorFlow's SAME rule (the odd pixel after) where symmetric "
        "padding was meant, or the other way round.",
        "Only layers of stride 2 (or even kernels) fail, over the whole map and not at its border alone: "
        "the sampling grid is one pixel off.",
        "Pad as the source of the weights does: explicitly (0, 1, 0, 1) for a 3x3 of stride 2 over an "
        "even image under SAME, kernel // 2 all round else.",
        "pytorch#67551, #3867, #45667; tensornets#25; MMdnn#660; MIPVerify#23; onnx2pytorch#58",
        ("padding", "PAD-LOWER", "STRIDE-PHASE"),
    ),
    Code(
        "PAD-LOWER",
        "The odd pixel of SAME padding is put before (SAME_LOWER) where it was meant after (SAME_UPPER), "
        "or the other way round.",
        "As PAD-SAME; the pads that explain it sum to the same and are exchanged.",
        "Read auto_pad: SAME_UPPER puts the odd pixel at the end, SAME_LOWER at the beginning. Better write the four pads.",
        "onnxruntime#495, #11927, #12537; onnx#2043, #2788",
        ("padding", "PAD-SAME"),
    ),
    Code(
        "PAD-VALUE",
        "The border is filled with something else than zero: the image's edge, its reflection, a constant "
        "such as the zero point or (0 - mean) / std.",
        "Only outputs whose window reaches over the border are wrong; the inside is right.",
        "Pad with zeros after the normalisation of the image, and with the zero point's real value 0 in quantised layers.",
        "",
        ("padding", "PAD"),
    ),
    Code(
        "PAD",
        "Other pads than meant, by no public rule.",
        "The whole map is shifted, or of another extent; a re-run with the pads found agrees.",
        "Set the four pads of the layer explicitly.",
        "pytorch#67551; tensornets#25",
        ("padding", "PAD-SAME"),
    ),
    Code(
        "STRIDE-PHASE",
        "A strided window samples the other pixels: it begins at an odd one, or subsamples after a "
        "stride-1 convolution from another phase.",
        "Layers of stride 2 alone; no public padding rule gives it, a shift of the sampling grid does.",
        "Begin the strided loop at the first output of the stride-1 convolution: y[p] = full[p * stride].",
        "pytorch#67551",
        ("padding", "PAD-SAME"),
    ),
    Code(
        "DILATION",
        "Another dilation than meant, mostly 1 where more was asked for.",
        "A single layer is wrong everywhere; re-run with another dilation and pads that keep the extent it agrees.",
        "Pass the dilation on, and pad by dilation * (kernel - 1) / 2.",
        "ncnn#315; tensorflow#56498, #19992",
        ("padding",),
    ),
    Code(
        "LAYOUT-WEIGHT",
        "A weight array is read in another order: OIHW for HWIO, taps transposed or flipped (correlation "
        "for convolution), a dense matrix transposed, channels reversed or permuted.",
        "All of the layer's output is wrong by the size of the values; equal after a permutation of the "
        "weight's axes or of one of them.",
        "Turn the array at loading: conv OIHW -> HWIO by (2, 3, 1, 0), depthwise C1HW -> HWC by (2, 3, 0, 1); never reshape.",
        "executorch#17423, #18455; TVM#9336; nobuco#2; transformers#18597",
        ("layouts", "LAYOUT-DATA", "MULTIPLIER-ORDER"),
    ),
    Code(
        "LAYOUT-DATA",
        "An activation is read in another order: NCHW memory taken for NHWC, rows for columns, images "
        "mixed with channels, a flatten before the dense layer in the other order.",
        "The layer agrees after its input, or output, is reordered; its weights are right.",
        "Transpose instead of reshaping, and flatten in the order that the dense weights were trained in.",
        "",
        ("layouts", "LAYOUT-WEIGHT"),
    ),
    Code(
        "MULTIPLIER-ORDER",
        "The channels of a depthwise convolution with a multiplier, or of groups, are numbered c * M + m "
        "where m * C + c was meant, or the other way round.",
        "The layer agrees after output channels are regrouped as a C x M matrix transposed; with a "
        "multiplier of 1 the two are the same.",
        "Reorder the depthwise weight's last two axes before they are merged.",
        "executorch#17423, #18455; TVM#9336",
        ("layouts", "LAYOUT-WEIGHT"),
    ),
    Code(
        "POOL",
        "A mean over a wrong count, a maximum for a mean, padding counted as pixels or not, another window or ceil mode.",
        "The pooled tensor is right up to one factor (a count), or right in the inside and wrong where "
        "windows reach over the border.",
        "Divide by the number of pixels H * W of the map that is pooled; set count_include_pad and "
        "ceil_mode as the source does.",
        "TVM#1144; pytorch#13934; onnxruntime#16203, #24681; onnx2tf#124",
        ("SE-SQUEEZE",),
    ),
)
