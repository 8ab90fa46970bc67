"""ONNX Runtime: tensors are made outputs of the graph by bytes behind the file.

Two messages of one field are one, by Protocol Buffers' rule for fields that stand twice: a GraphProto that has
outputs alone, behind a model's bytes, adds them to its graph.

Source: the encoding page of the Protocol Buffers documentation, "Last One Wins".
"""

from __future__ import annotations

from pathlib import Path

from ...io import onnx
from .base import Runtime, nchw, version

_LEVELS = {"none": "ORT_DISABLE_ALL", "basic": "ORT_ENABLE_BASIC", "extended": "ORT_ENABLE_EXTENDED", "all": "ORT_ENABLE_ALL"}
_FOLDER = "session.model_external_initializers_file_folder_path"


def with_outputs(model, names):
    """The bytes of an ONNX model with more tensors as outputs; the runtime infers their types.

    >>> with_outputs(b"", ("a",)).hex(" ")
    '3a 05 62 03 0a 01 61'
    """
    graph = onnx.wire.Message()
    for name in names:
        graph.message(12, onnx.wire.Message().text(1, name))
    return model + (onnx.wire.Message().message(7, graph).encoded() if names else b"")


class OnnxRuntime(Runtime):
    """onnxruntime.InferenceSession on the CPU."""

    name, PACKAGE, INSTALL, SUFFIX = "ort", "onnxruntime", "onnxruntime", ".onnx"
    LEVELS = tuple(_LEVELS)

    @property
    def description(self):
        threads = self.settings.threads
        return f"ONNX Runtime {version(self)}, CPU provider, graph optimisations: {self.level}, threads {threads}"

    def run(self, x, shown):
        ort, subject = self._module, self.subject
        settings = ort.SessionOptions()
        settings.graph_optimization_level = getattr(ort.GraphOptimizationLevel, _LEVELS[self.level])
        settings.intra_op_num_threads, settings.inter_op_num_threads = self.settings.threads, 1
        settings.log_severity_level = 3
        if subject.path is None:
            model = onnx.encode(subject.steps, batch=subject.batch)
        else:
            model = Path(subject.path).read_bytes()
            settings.add_session_config_entry(_FOLDER, str(Path(subject.path).resolve().parent))
        session = ort.InferenceSession(with_outputs(model, shown), settings, providers=["CPUExecutionProvider"])
        names = [subject.last, *shown]
        is_last = subject.graph.inputs[subject.image][1][1] != 3
        return dict(zip(names, session.run(names, {subject.image: x if is_last else nchw(x)}), strict=True))
