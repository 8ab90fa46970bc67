"""Processes and their answers: what is filed, what a crash, a refusal and Ctrl-C leave."""

import json
import os
import signal
import sys
import threading
import time

import pytest

from refmnas.bench import run
from refmnas.bench.run import bench

CELL = {"network": "n", "is_partial": False, "competitors": []}
CEILINGS = {"gflops": {"8": 100.0}, "gbytes_per_s": {"L1": 200.0}}


def job(model="n", threads=1):
    return {"kind": "cells", "model": model, "threads": threads, "batches": [1]}


def worker(*events, then=""):
    """A process that says these events, then runs `then`."""
    lines = "".join(f"print({json.dumps(json.dumps(event))}, flush=True)\n" for event in events)
    return lambda job: [sys.executable, "-c", f"import os, signal, sys, time\n{lines}{then}"]


def test_answers_are_filed_by_their_kind_and_the_best_ceiling_is_kept():
    lower = {"gflops": {"8": 90.0, "4": 50.0}, "gbytes_per_s": {}}
    events = [
        {"event": "ceilings"} | CEILINGS,
        {"event": "tell", "text": "try 1, round 3"},
        {"event": "cell", "record": CELL},
        {"event": "layers", "record": {"ceilings": lower}},
        {"event": "op", "record": {"case": "c"}},
    ]
    told = []
    result = bench([job()], command="refmnas bench", tell=lambda job, text: told.append(text), worker=worker(*events))
    assert result["machine"]["ceilings"] == {"gflops": {"8": 100.0, "4": 50.0}, "gbytes_per_s": {"L1": 200.0}}
    assert (result["cells"], result["ops"]) == ([CELL], [{"case": "c"}])
    assert len(result["layers"]) == 1
    assert told == ["try 1, round 3"]
    assert not result["failed"]
    assert not result["is_partial"]
    json.dumps(result, allow_nan=False)


def test_a_crash_is_named_and_the_next_job_runs():
    events = [{"event": "tell", "text": "building"}]
    crash = worker(*events, then="os.kill(os.getpid(), signal.SIGKILL)")
    good = worker({"event": "cell", "record": CELL})
    result = bench([job("a", 2), job("b")], worker=lambda j: (crash if j["model"] == "a" else good)(j))
    assert result["failed"] == [{"model": "a", "threads": 2, "why": "its process ended with status -9 while building"}]
    assert result["cells"] == [CELL]


def test_a_refusal_is_named():
    result = bench([job()], worker=worker({"event": "refused", "message": "ShapeError: no"}))
    assert result["failed"] == [{"model": "n", "threads": 1, "why": "ShapeError: no"}]


def test_lines_that_are_no_json_are_passed_over():
    noise = worker({"event": "cell", "record": CELL}, then="print('{\"event\": \"ce')")
    assert bench([job()], worker=noise)["cells"] == [CELL]


def test_threads_are_told_to_the_process_before_it_starts():
    say = "import json; print(json.dumps({'event': 'op', 'record': os.environ['OMP_NUM_THREADS']}))"
    assert bench([job(threads=3)], worker=worker(then=say))["ops"] == ["3"]


@pytest.fixture
def ctrl_c():
    """SIGINT as a terminal's process has it: one started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_is_passed_on_and_the_last_answers_are_kept():
    """The process answers SIGINT with a partial cell; nothing runs after it."""
    partial = json.dumps({"event": "cell", "record": CELL | {"is_partial": True}})
    slow = worker(
        {"event": "cell", "record": CELL},
        then=f"""
def answer(*_):
    print({partial!r}, flush=True)
    sys.exit(0)
signal.signal(signal.SIGINT, answer)
print('{{"event": "tell", "text": "ready"}}', flush=True)
time.sleep(60)
""",
    )

    def interrupt(job, text):
        threading.Thread(target=lambda: (time.sleep(0.1), os.kill(os.getpid(), signal.SIGINT))).start()

    begin = time.monotonic()
    result = bench([job("a"), job("b")], tell=interrupt, worker=slow)
    assert time.monotonic() - begin < 30
    assert result["is_partial"]
    assert [cell["is_partial"] for cell in result["cells"]] == [False, True]


def test_the_worker_answers_sigint_with_what_it_has():
    """The real one, interrupted while it draws weights or measures: it ends by itself and says so."""
    code = (
        "import os, signal, sys, threading\n"
        "from refmnas.bench import _worker\n"
        "def wait(job, emit):\n"
        "    emit('tell', text='ready')\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    import time; time.sleep(60)\n"
        "_worker._ops = wait\n"
        "sys.exit(_worker.main(['w', '{\"kind\": \"ops\"}']))\n"
    )
    result = bench([job()], worker=lambda job: [sys.executable, "-c", code])
    assert result["is_partial"]
    assert not result["failed"]


@pytest.mark.parametrize("fault", ["ValueError('odd\\nthing')", "MemoryError('8 EiB')", "SpecError('no such size')"])
def test_the_worker_names_what_stopped_it_in_one_line(fault):
    code = (
        "import sys\nfrom refmnas.errors import SpecError\nfrom refmnas.bench import _worker\n"
        f"def fail(job, emit):\n    print('a library says hello')\n    raise {fault}\n"
        "_worker._ops = fail\n"
        "sys.exit(_worker.main(['w', '{\"kind\": \"ops\"}']))\n"
    )
    result = bench([job()], worker=lambda job: [sys.executable, "-c", code])
    (failed,) = result["failed"]
    assert fault.partition("(")[2][1:4] in failed["why"]
    assert "\n" not in failed["why"]


def test_the_process_of_a_job_is_this_python():
    command = run.worker_command(job())
    assert command[:4] == [sys.executable, "-P", "-m", "refmnas.bench._worker"]
    assert json.loads(command[4]) == job()
