"""refmnas: the reference for mobile CNNs, framework-free, forward and backward.

    refmnas.use("numpy")          which text of an op runs: c, numpy, oracle, auto
    refmnas.ops.depthwise         one module per op: forward, backward
    refmnas.models.build(name)    a network that runs, forward and backward
    refmnas.compile(net)          the network, or a loaded graph, as a plan that C runs
    refmnas.io.load(path)         a file of weights as {name: array}
    refmnas.io.onnx.load(path)    an ONNX file as a graph that runs; refmnas.io.tflite the same for TFLite
    refmnas.recognise(graph)      which of our networks such a graph is, and its weights

Submodules are attributes, loaded when first touched: `import refmnas` costs
nothing, and the command line can report a broken environment instead of failing on it.
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["__version__", "compile", "recognise", "use"]

_SUBMODULES = (
    "backend", "bench", "blocks", "bounds", "cases", "compare", "engine", "errors", "explain", "geometry", "io",
    "kernels", "layers", "layout", "models", "ops", "oracle", "peers", "predict", "reading", "recognition",
    "report", "verify",
)  # fmt: skip
_FUNCTIONS = {"use": "backend", "compile": "engine", "recognise": "recognition"}


def __getattr__(name):
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name in _FUNCTIONS:
        return getattr(import_module(f"{__name__}.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_SUBMODULES, *_FUNCTIONS})
