"""Plans that run at once, after a fork, with more threads than processors: the same bits, and an end.

What could wait for ever runs in a process of its own, which a time limit ends.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from networks import stirred

import refmnas

HERE = Path(__file__).resolve().parent
LIMIT = 120  # seconds; each takes less than two
TIMES = pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.slow)])
HEAD = """
import gc, os, sys, threading, time
sys.path[:0] = [{here!r}, {tests!r}]
import numpy as np
import refmnas
from small import images, net, size, words

def made(name, batch=1, threads=1):
    return refmnas.compile(net(name), batch=batch, size=size(name), threads=threads), images(size(name), batch)

def at_once(*calls):
    faults = []
    def guarded(call):
        try:
            call()
        except BaseException as error:
            faults.append(repr(error))
    workers = [threading.Thread(target=guarded, args=(call,), daemon=True) for call in calls]
    for w in workers: w.start()
    for w in workers: w.join(100)
    assert not any(w.is_alive() for w in workers), "deadlock"
    assert not faults, faults

def again(plan, x, count):
    want = words(plan(x))
    def call():
        for _ in range(count):
            assert np.array_equal(words(plan(x)), want)
    return call
"""


def alone(code, environment=None, limit=LIMIT):
    """Run the code in a process of its own; what it printed."""
    root = str(Path(refmnas.__file__).resolve().parents[1])
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    text = HEAD.format(here=str(HERE), tests=str(HERE.parent)) + textwrap.dedent(code)
    run = subprocess.run(
        [sys.executable, "-P", "-c", text], capture_output=True, text=True, timeout=limit, env=env | (environment or {})
    )
    assert run.returncode == 0, f"status {run.returncode}\n{run.stdout[-1000:]}{run.stderr[-3000:]}"
    return run.stdout.strip()


def test_two_plans_at_once_give_their_own_bits():
    alone("""
        a, b = made("excited", 1, 2), made("plain", 2, 2)
        at_once(again(*a, 60), again(*b, 60))
    """)


def test_one_plan_called_from_many_threads_takes_turns():
    alone("""
        plan, x = made("excited", 1, 3)
        y = images(size("excited"), 1, seed=5)
        at_once(*[again(plan, a, 25) for a in (x, y, -x, -y)])
    """)


@TIMES
def test_plans_made_and_dropped_while_others_run(times):
    """A plan that goes takes its own memory along, and no other's."""
    alone(f"""
        kept, x = made("excited", 1, 2)
        def churn():
            for k in range({10 * times}):
                plan, image = made("plain", 1 + k % 2, 1 + k % 4)
                plan(image)
                del plan
                gc.collect()
        at_once(again(kept, x, {50 * times}), churn, churn)
    """)


@TIMES
def test_a_plan_dropped_by_its_last_caller_is_held_until_the_run_ends(times):
    alone(f"""
        def call():
            for _ in range({8 * times}):
                made("tiny", 2, 3)[0](images(size("tiny"), 2))
        at_once(call, call, call)
    """)


def test_more_threads_than_processors_end():
    count = 4 * (os.cpu_count() or 1) + 1
    alone(f"""
        plan, x = made("plain", 2, {count})
        single = refmnas.compile(net("plain"), batch=2, size=size("plain"))
        assert np.array_equal(words(plan(x)), words(single(x)))
    """)


def test_as_many_threads_as_may_be_asked_for():
    """Most of 256 have no unit of any step."""
    alone("""
        plan, x = made("tiny", 1, 256)
        assert np.array_equal(words(plan(x)), words(refmnas.compile(net("tiny"), size=size("tiny"))(x)))
    """)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no list of a process's threads here")
def test_one_thread_starts_no_other():
    alone("""
        plan, x = made("plain", 1, 1)
        before = len(os.listdir("/proc/self/task"))
        plan(x)
        assert len(os.listdir("/proc/self/task")) == before
        made("plain", 1, 3)[0](x)
        assert len(os.listdir("/proc/self/task")) == before + 2
        made("plain", 1, 2)[0](x)
        assert len(os.listdir("/proc/self/task")) == before + 2
    """)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_after_fork_has_threads_of_its_own():
    """The parent's workers did not come along: the child makes new ones, and both go on."""
    alone("""
        import signal
        plan, x = made("excited", 1, 3)
        want = words(plan(x))
        for generation in range(3):
            pid = os.fork()
            if not pid:
                signal.alarm(60)
                right = all(np.array_equal(words(plan(x)), want) for _ in range(20))
                fresh, _ = made("excited", 1, 2)
                os._exit(0 if right and np.array_equal(words(fresh(x)), want) else 1)
            assert np.array_equal(words(plan(x)), want)
            assert os.waitpid(pid, 0)[1] == 0
    """)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_in_the_middle_of_another_threads_run():
    """The locks of the pool and of the plan are held at that moment: the child's are new ones."""
    alone("""
        import signal, warnings
        warnings.simplefilter("ignore")
        busy, x = made("excited", 1, 3)
        other, z = made("plain", 1, 2)
        want, mine, stop = words(other(z)), words(busy(x)), []
        def run():
            while not stop:
                busy(x)
        worker = threading.Thread(target=run, daemon=True)
        worker.start()
        for _ in range(12):
            pid = os.fork()
            if not pid:
                signal.alarm(30)
                right = all(np.array_equal(words(other(z)), want) for _ in range(5))
                os._exit(0 if right and np.array_equal(words(busy(x)), mine) else 1)
            assert os.waitpid(pid, 0)[1] == 0
        stop.append(1)
        worker.join(30)
        assert not worker.is_alive()
    """)


def test_other_python_threads_go_on_meanwhile():
    """The interpreter's lock is free during a run."""
    alone("""
        plan, x = made("hard-swish", 3, 1)
        count, stop = [0], []
        def run():
            while not stop:
                plan(x)
        worker = threading.Thread(target=run, daemon=True)
        sys.setswitchinterval(1.0)  # nobody is made to give the lock away: a run must do so itself
        worker.start()
        end = time.monotonic() + 1
        while time.monotonic() < end and count[0] < 50:
            time.sleep(0.0005)
            count[0] += 1
        stop.append(1)
        worker.join(30)
        assert count[0] == 50, count
    """)


def test_workers_sleep_between_runs():
    """After a run the pool looks for the next one for a moment, then blocks: idle time costs no processor."""
    spent = float(
        alone("""
        plan, x = made("plain", 1, 4)
        for _ in range(3):
            plan(x)
        time.sleep(0.05)
        before = time.process_time()
        time.sleep(0.5)
        print(time.process_time() - before)
    """)
    )
    assert spent < 0.05


def test_an_interrupted_process_ends():
    """Nothing waits for the workers at the end of a process."""
    alone("""
        plan, x = made("plain", 1, 3)
        plan(x)
        sys.exit(0)
    """, limit=30)


@pytest.mark.parametrize("threads", [5, pytest.param(2, marks=pytest.mark.slow)])
def test_a_plan_of_a_network_of_the_zoo_runs_beside_another(threads):
    network, code = stirred("mnasnet-small", "timm", width=0.35, classes=5), f"""
        from networks import stirred
        network = stirred("mnasnet-small", "timm", width=0.35, classes=5)
        plan = refmnas.compile(network, size=40, threads={threads})
        x = images((40, 40))
        at_once(again(plan, x, 40), again(refmnas.compile(network, size=40, threads=2), x, 40))
        print(words(plan(x)).tolist())
    """
    from small import images, words

    want = words(refmnas.compile(network, size=40)(images((40, 40)))).tolist()
    assert alone(code) == str(want)
