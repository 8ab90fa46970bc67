"""The kernel in a process of its own: a hang is cut off, a crash is seen, and both have a name.

A forked child keeps the caller's function as it is, closures and loaded libraries included.
Some libraries (an OpenMP runtime that the parent has used) hang in a forked child through no
fault of the kernel: what hangs there, or is slow, is tried once more in a thread of this process, and if it answers,
all that follows runs in threads.
"""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import warnings

from .contract import Seen, watch

_PATIENCE_S = 3.0  # what is slower is tried in a thread, with all of its time


class Runner:
    """`seen(arrays, options, form)` -> Seen, after at most `limit_s` seconds.

    A child that has not answered after `patience_s` is given up for a thread.
    """

    def __init__(self, fn, limit_s, patience_s=_PATIENCE_S):
        self.fn, self.limit_s, self.patience_s = fn, limit_s, min(limit_s, patience_s)
        self.forks = hasattr(os, "fork") and sys.platform != "darwin"
        self.notes: list[str] = [] if self.forks else ["a crash of the kernel would end this process (no fork here)"]
        self._process = self._pipe = None

    def seen(self, arrays, options, form):
        """What was seen of one call."""
        return self._forked(arrays, options, form) if self.forks else self._threaded(arrays, options, form)

    def end(self):
        """Stop the child."""
        if self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process = None

    def _forked(self, arrays, options, form):
        self._start()
        try:
            self._pipe.send((arrays, options, form))
            if self._pipe.poll(self.patience_s):
                return self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(5)
            how = _ended(self._process.exitcode)
            self.end()
            return Seen([("CRASHES", how)], None)
        self.end()
        found = self._threaded(arrays, options, form)
        if not any(code == "HANGS" for code, _ in found.faults):
            self.forks = False
            self.notes.append("the kernel hangs or is slow in a forked child and not here: a crash would end this process")
        return found

    def _hung(self):
        return Seen([("HANGS", f"no answer within {self.limit_s:g} s")], None)

    def _threaded(self, arrays, options, form):
        box: list[Seen] = []
        thread = threading.Thread(target=lambda: box.append(watch(self.fn, arrays, options, form)), daemon=True)
        thread.start()
        thread.join(self.limit_s)
        if box:
            return box[0]
        # A loop of Python ends by this at its next instruction; a call into C keeps its thread.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TimeoutError))
        return self._hung()

    def _start(self):
        if self._process is not None:
            return
        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(self.fn, other, self._pipe), daemon=True)
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads beside a fork: see above
            self._process.start()
        other.close()


def _serve(fn, pipe, parents):
    """The child: answers until the pipe closes."""
    parents.close()
    faulthandler.disable()  # a crash is the result here, not an accident to be told of
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    while True:
        try:
            arrays, options, form = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        found = watch(fn, arrays, options, form)
        try:
            pipe.send(found)
        except OSError:
            os._exit(0)


def _ended(code):
    if code is not None and code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"
