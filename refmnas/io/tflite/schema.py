"""TFLite's tables: which field of which table has which slot, and the names of its enumerations.

A field is (slot, kind, default): a kind of one letter is struct's code of a number, "?" a
boolean; the others are those of `flat`.

Source: schema.fbs of the TensorFlow and LiteRT projects, version 3.
"""

from __future__ import annotations

VERSION, IDENTIFIER = 3, b"TFL3"

MODEL = {
    "version": (0, "I", 0), "operator_codes": (1, "tables", ()), "subgraphs": (2, "tables", ()), "buffers": (4, "tables", ()),
}  # fmt: skip
SUBGRAPH = {
    "tensors": (0, "tables", ()), "inputs": (1, "ints", ()), "outputs": (2, "ints", ()), "operators": (3, "tables", ()),
}  # fmt: skip
TENSOR = {
    "shape": (0, "ints", ()), "type": (1, "b", 0), "buffer": (2, "I", 0), "name": (3, "text", ""),
    "quantization": (4, "table", None), "is_variable": (5, "?", False), "sparsity": (6, "there", False),
    "shape_signature": (7, "ints", ()), "variant_tensors": (9, "there", False), "external_buffer": (10, "I", 0),
}  # fmt: skip
QUANTIZATION = {"scale": (2, "span", None), "details": (5, "there", False)}
BUFFER = {"data": (0, "span", None), "offset": (1, "Q", 0), "size": (2, "Q", 0)}
CODE = {"deprecated_builtin_code": (0, "b", 0), "custom_code": (1, "text", ""), "builtin_code": (3, "i", 0)}
OPERATOR = {
    "opcode_index": (0, "I", 0), "inputs": (1, "ints", ()), "outputs": (2, "ints", ()), "builtin_options_type": (3, "B", 0),
    "builtin_options": (4, "table", None),
}  # fmt: skip

_STRIDES = {"padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0)}
CONV = _STRIDES | {"act": (3, "b", 0), "dilation_w": (4, "i", 1), "dilation_h": (5, "i", 1)}
DEPTHWISE = _STRIDES | {"multiplier": (3, "i", 0), "act": (4, "b", 0), "dilation_w": (5, "i", 1), "dilation_h": (6, "i", 1)}
POOL = _STRIDES | {"filter_w": (3, "i", 0), "filter_h": (4, "i", 0), "act": (5, "b", 0)}
DENSE = {"act": (0, "b", 0), "weights_format": (1, "b", 0), "keep_num_dims": (2, "?", False)}
ACT = {"act": (0, "b", 0)}
CONCATENATION = {"axis": (0, "i", 0), "act": (1, "b", 0)}
SOFTMAX = {"beta": (0, "f", 0.0)}
RESHAPE = {"new_shape": (0, "ints", None)}
SQUEEZE = {"squeeze_dims": (0, "ints", ())}
REDUCER = {"keep_dims": (0, "?", False)}
BILINEAR = {"align_corners": (2, "?", False), "half_pixel_centers": (3, "?", False)}
NEAREST = {"align_corners": (0, "?", False), "half_pixel_centers": (1, "?", False)}

PADDINGS = ("SAME", "VALID")
ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
TYPES = (
    "FLOAT32", "FLOAT16", "INT32", "UINT8", "INT64", "STRING", "BOOL", "INT16", "COMPLEX64", "INT8", "FLOAT64", "COMPLEX128",
    "UINT64", "RESOURCE", "VARIANT", "UINT32", "UINT16", "INT4", "BFLOAT16", "INT2", "UINT4", "FLOAT8_E4M3FN", "FLOAT8_E5M2",
)  # fmt: skip
READ = {"FLOAT32": "f4", "FLOAT16": "f2", "INT32": "i4", "INT64": "i8"}  # NumPy's types of those that are read
CUSTOM = 32
OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 5: "DEPTH_TO_SPACE",
    6: "DEQUANTIZE", 7: "EMBEDDING_LOOKUP", 8: "FLOOR", 9: "FULLY_CONNECTED", 10: "HASHTABLE_LOOKUP",
    11: "L2_NORMALIZATION", 12: "L2_POOL_2D", 13: "LOCAL_RESPONSE_NORMALIZATION", 14: "LOGISTIC", 15: "LSH_PROJECTION",
    16: "LSTM", 17: "MAX_POOL_2D", 18: "MUL", 19: "RELU", 20: "RELU_N1_TO_1", 21: "RELU6", 22: "RESHAPE",
    23: "RESIZE_BILINEAR", 24: "RNN", 25: "SOFTMAX", 26: "SPACE_TO_DEPTH", 27: "SVDF", 28: "TANH", 31: "CALL", 32: "CUSTOM",
    34: "PAD", 36: "GATHER", 37: "BATCH_TO_SPACE_ND", 38: "SPACE_TO_BATCH_ND", 39: "TRANSPOSE", 40: "MEAN", 41: "SUB",
    42: "DIV", 43: "SQUEEZE", 45: "STRIDED_SLICE", 47: "EXP", 49: "SPLIT", 50: "LOG_SOFTMAX", 51: "DELEGATE", 53: "CAST",
    54: "PRELU", 55: "MAXIMUM", 56: "ARG_MAX", 57: "MINIMUM", 59: "NEG", 60: "PADV2", 65: "SLICE", 67: "TRANSPOSE_CONV",
    69: "TILE", 70: "EXPAND_DIMS", 74: "SUM", 75: "SQRT", 76: "RSQRT", 77: "SHAPE", 78: "POW", 80: "FAKE_QUANT",
    82: "REDUCE_MAX", 83: "PACK", 88: "UNPACK", 92: "SQUARE", 94: "FILL", 97: "RESIZE_NEAREST_NEIGHBOR", 98: "LEAKY_RELU",
    99: "SQUARED_DIFFERENCE", 100: "MIRROR_PAD", 101: "ABS", 102: "SPLIT_V", 111: "ELU", 114: "QUANTIZE", 117: "HARD_SWISH",
    118: "IF", 119: "WHILE", 124: "DENSIFY", 126: "BATCH_MATMUL", 129: "CALL_ONCE", 142: "VAR_HANDLE", 143: "READ_VARIABLE",
    144: "ASSIGN_VARIABLE", 150: "GELU", 152: "RELU_0_TO_1",
}  # fmt: skip
# the table that an operator's options are of, by its number in the union; written beside them, and held to when read
OPTIONS = {
    "ADD": 11, "AVERAGE_POOL_2D": 5, "CONCATENATION": 10, "CONV_2D": 1, "DEPTHWISE_CONV_2D": 2, "DIV": 29,
    "FULLY_CONNECTED": 8, "MAX_POOL_2D": 5, "MEAN": 27, "MUL": 21, "RESHAPE": 17, "RESIZE_BILINEAR": 15,
    "RESIZE_NEAREST_NEIGHBOR": 74, "SOFTMAX": 9, "SQUEEZE": 30, "SUB": 28,
}  # fmt: skip
NUMBERS = {name: number for number, name in OPERATORS.items()}
