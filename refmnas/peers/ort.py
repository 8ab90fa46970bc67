"""ONNX Runtime: the ONNX file that we write, the CPU provider, every optimisation of the graph.

intra_op_num_threads as asked, one inter-op thread, sequential execution.  Its threads
spin between runs for a while, as they do by default.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median

from ..io import onnx
from ..models.fold import IMAGE
from .base import Peer, by_step, runtime, steps_of

_ENDING = "_kernel_time"


class OnnxRuntime(Peer):
    """onnxruntime.InferenceSession."""

    name = "ort"
    PACKAGES = ("onnxruntime",)

    def __init__(self, net, *, batch, size, threads):
        super().__init__(net, batch=batch, size=size, threads=threads)
        self._ort = runtime(self.name, "onnxruntime")
        self._steps = steps_of(net, size)
        self._session = self._opened(onnx.encode(self._steps, batch=batch), self._settings())
        self.description = f"ONNX Runtime {self.version}, CPU provider, all graph optimisations, from our ONNX"

    def _settings(self, is_optimised=True):
        settings = self._ort.SessionOptions()
        levels = self._ort.GraphOptimizationLevel
        settings.graph_optimization_level = levels.ORT_ENABLE_ALL if is_optimised else levels.ORT_DISABLE_ALL
        settings.intra_op_num_threads, settings.inter_op_num_threads = self.threads, 1
        settings.execution_mode = self._ort.ExecutionMode.ORT_SEQUENTIAL
        settings.log_severity_level = 3
        return settings

    def _opened(self, model, settings):
        return self._ort.InferenceSession(model, settings, providers=["CPUExecutionProvider"])

    def _input(self, nchw):
        return {IMAGE: nchw}

    def run_prepared(self, prepared):
        return self._session.run([onnx.LOGITS], prepared)[0]

    def intermediates(self, x, *, is_optimised=True):
        """As `Peer.intermediates`; is_optimised=False: the graph as it is written, node by node.

        A tensor that is an output is not fused away, so what runs is not quite what `run` runs.
        """
        model = onnx.encode(self._steps, batch=self.batch, outputs="all")
        session = self._opened(model, self._settings(is_optimised))
        names = [*(step.name for step in self._steps[:-1]), onnx.LOGITS]
        return by_step(self._steps, session.run(names, self.prepare(x)))

    def profile(self, x, runs=20):
        """{step: microseconds}, the median over `runs` of ONNX Runtime's own profiler.

        Nodes that it fused count for the first of their steps, and those that it added (its
        reorderings of channels) for the step that runs before them.
        """
        with tempfile.TemporaryDirectory() as folder:
            settings = self._settings()
            settings.enable_profiling = True
            settings.profile_file_prefix = str(Path(folder) / "ort")
            session = self._opened(onnx.encode(self._steps, batch=self.batch), settings)
            prepared = self.prepare(x)
            for _ in range(runs + 2):  # the first two warm up
                session.run([onnx.LOGITS], prepared)
            events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        return attributed(events, [step.name for step in self._steps], runs)

    def close(self):
        self._session = None


def attributed(events, names, runs):
    """{step: microseconds} of the profiler's events: each node's median over its last `runs`, summed by step."""
    nodes: dict[str, list[float]] = {}
    owners: dict[str, str] = {}
    before = names[0]
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_ENDING):
            node = event["name"].removesuffix(_ENDING)
            before = owners.setdefault(node, step_of(node, names) or before)
            nodes.setdefault(node, []).append(event["dur"])
    found: dict[str, float] = {}
    for node, spans in nodes.items():
        found[owners[node]] = found.get(owners[node], 0.0) + median(spans[-runs:])
    return {name: found[name] for name in names if name in found}


def step_of(node, names):
    """The step whose name begins the node's, the longest of them; "" where there is none.

    >>> step_of("head.pool_nchwc", ["head", "head.pool"]), step_of("ReorderInput", ["head"])
    ('head.pool', '')
    """
    return max((name for name in names if node.startswith(name)), key=len, default="")
