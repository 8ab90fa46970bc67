"""A bench from its jobs: a process for each, one after another.

A job is {"kind", "model", "source", "size", "width", "batches", "threads", "peers",
"seconds"}, or {"kind": "turns", "networks", "threads", "peers", "seconds"}.  The result is
a record that JSON holds as it is:

    kind, schema, date, command     "refmnas bench", 1, when, how
    machine                         `machine.facts`, and the ceilings, the best of all processes
    is_partial                      interrupted: what was measured until then
    cells, layers, ops              by the jobs' kinds
    failed                          jobs without an answer, and why
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from . import machine

KIND, SCHEMA = "refmnas bench", 1
GRACE_S = 30.0  # for a process to answer after Ctrl-C


def bench(jobs, *, command="", tell=lambda job, text: None, done=lambda job, event: None, worker=None):
    """The result of all jobs; a KeyboardInterrupt ends it early, with what there is."""
    result = {
        "kind": KIND,
        "schema": SCHEMA,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "machine": machine.facts() | {"ceilings": {"gflops": {}, "gbytes_per_s": {}}},
        "is_partial": False,
        "cells": [],
        "layers": [],
        "ops": [],
        "failed": [],
    }
    for job in jobs:
        try:
            told = _one(job, result, tell, done, worker or worker_command)
        except KeyboardInterrupt:
            told = {"interrupted"}
        if "interrupted" in told:
            result["is_partial"] = True
            break
    return result


def worker_command(job):
    """The process of a job; -P, so that a checkout without C in the current folder is not taken for this package."""
    return [sys.executable, "-P", "-m", "refmnas.bench._worker", json.dumps(job)]


def _one(job, result, tell, done, worker):
    """Run one job's process and file its answers; the kinds of event that came."""
    came, last = set(), "starting"
    process = subprocess.Popen(worker(job), stdout=subprocess.PIPE, env=_environment(job), text=True, encoding="utf-8")
    try:
        for event in _events(process):
            came.add(event["event"])
            if event["event"] == "tell":
                last = event["text"]
                tell(job, last)
            else:
                _file(event, job, result)
                done(job, event)
    finally:
        _end(process)
    if process.returncode:
        why = f"its process ended with status {process.returncode} while {last}"
        result["failed"].append({"model": str(job.get("model")), "threads": job.get("threads"), "why": why})
    if any(cell["is_partial"] for cell in result["cells"]):
        came.add("interrupted")
    return came


def _environment(job):
    """Ours, with the numbers of threads that libraries read at their start, and this package on the path."""
    count = str(job.get("threads", 1))
    found = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), count)
    root = str(Path(__file__).resolve().parents[2])
    return found | {"PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _events(process):
    """The process's lines as they come.  Ctrl-C is passed on, and its last answers are waited for."""
    while True:
        try:
            yield from _read(process)
            return
        except KeyboardInterrupt:
            with suppress(OSError):
                process.send_signal(signal.SIGINT)
            patience = threading.Timer(GRACE_S, process.kill)
            patience.start()
            try:
                yield from _read(process)
            finally:
                patience.cancel()
            yield {"event": "interrupted"}
            return


def _read(process):
    for line in process.stdout:
        with suppress(ValueError):  # a line cut off by its end
            yield json.loads(line)


def _end(process):
    """Nothing is left running, whatever happened."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    if process.poll() is None:
        process.kill()
        process.wait()
    process.stdout.close()


def _file(event, job, result):
    """An answer into its place."""
    what = event["event"]
    if what in ("cell", "layers", "op"):
        result[{"cell": "cells", "op": "ops"}.get(what, what)].append(event["record"])
    if what == "layers":
        _raise_ceilings(result, event["record"]["ceilings"])
    if what == "ceilings":
        _raise_ceilings(result, event)
    if what == "refused":
        result["failed"].append({"model": str(job.get("model")), "threads": job.get("threads"), "why": event["message"]})


def _raise_ceilings(result, event):
    """The best of all processes."""
    for group, kept in result["machine"]["ceilings"].items():
        for key, value in event[group].items():
            kept[key] = max(value, kept.get(key, 0.0))
