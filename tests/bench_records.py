"""A bench's result as `refmnas.bench.run` makes it, with one of everything."""

from refmnas.bench import run


def result():
    return {
        "kind": run.KIND,
        "schema": run.SCHEMA,
        "date": "2026-01-02 03:04 UTC",
        "command": "refmnas bench mnasnet-b1 --threads 2",
        "machine": {
            "processor": "a processor",
            "caches": {"L1": 32768, "L2": 524288, "L3": 33554432},
            "cores": 2,
            "isa": "avx2",
            "isas": ["avx2", "scalar"],
            "system": "a system",
            "load": 0.5,
            "environment": {"REFMNAS_ISA": "avx2"},
            "versions": {"refmnas": "0.1.0", "numpy": "2.4.6"},
            "ceilings": {"gflops": {"1": 12.9, "8": 103.0}, "gbytes_per_s": {"L1": 206.0, "DRAM": 18.0}},
        },
        "is_partial": False,
        "cells": [_cell()],
        "layers": [_profile()],
        "ops": [_op()],
        "failed": [],
    }


def _timed(name, error, ms, **more):
    least = {"min_ms": ms, "q1_ms": 1.01 * ms, "median_ms": 1.02 * ms, "q3_ms": 1.05 * ms}
    known = {"name": name, "version": "1.0.20261020", "description": "what it is", "error": error, "is_wrong": error is None}
    return known | {"runs": 200, "variation": 0.04} | least | more


def _cell():
    ours = _timed("refmnas", 1e-6, 3.5, ratio=1.2, ratio_interval=[1.1, 1.3], rank=1, share=0.88, share_of_min=0.9)
    return {
        "network": "mnasnet-b1", "dialect": "torchvision", "width": 1.0, "size": 224, "batch": 1, "threads": 2,
        "rounds": 20, "attempts": 2, "seconds": 19.0, "noise": 1.02, "is_noisy": False, "is_partial": False,
        "criterion": {"ours": 1e-6, "limit": 3e-6, "is_met": True}, "best_peer": "ort", "bound_ms": 3.07, "peak_gflops": 102.5,
        "others": 0.0, "flops": 628831744, "bytes": 18063520, "warnings": ["another load: other processes used 0.3 cores"],
        "competitors": [
            ours,
            _timed("ort", 6e-7, 4.2, ratio=1.0, ratio_interval=[1.0, 1.0], rank=2, share=0.7, share_of_min=0.72),
            _timed("openvino", None, 1.0, share=0.9, share_of_min=0.9),
            {"name": "torch-jit", "absent": "torch is not installed"},
        ],
    }  # fmt: skip


def _profile():
    step = {"kind": "slab", "names": ["stages.1.0.expand", "stages.1.0.depthwise"], "shape": [28, 28, 120], "flops": 12_000_000}
    step |= {"bytes": 32_000, "us": 140.0, "bound_us": 119.0, "bound_by": "FMA", "share": 0.85, "peer_us": 199.0}
    return {
        "network": "mnasnet-b1", "dialect": "torchvision", "width": 1.0, "size": 224, "batch": 1, "threads": 1, "error": 1e-6,
        "ceilings": {"gflops": {"8": 103.0}, "gbytes_per_s": {"L3": 70.0}}, "weights_in": "L3",
        "peer": {"name": "ort", "version": "1.32.0", "error": 4e-7}, "steps": [step, step | {"peer_us": None}],
        "total": {"us": 280.0, "bound_us": 238.0, "peer_us": 199.0, "flops": 24_000_000},
    }  # fmt: skip


def _op():
    return {
        "case": "depthwise n=1 seed=0", "op": "depthwise", "margin": 0.3, "peer_margin": None, "is_wrong": False,
        "peer_is_wrong": True, "us": 5.9, "min_us": 5.5, "peer_us": 54.0, "peer_min_us": 50.0, "ratio": 9.5,
        "ratio_interval": [8.8, 9.9],
    }  # fmt: skip
