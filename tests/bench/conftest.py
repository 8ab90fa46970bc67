"""A clock that only runs as it is told, and competitors whose times are known."""

import pytest

from refmnas.bench.clock import Clock


class Time:
    """Fake time: `sleep` and `spend` advance it, and everything is noted in order."""

    def __init__(self):
        self.at, self.events = 0.0, []

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds
        self.events.append(("pause", seconds))

    def runs(self, **seconds):
        """{name: a function that takes so long}; a value may be a function of how often it ran."""

        def runner(name, cost):
            count = [0]

            def run():
                spent = cost(count[0]) if callable(cost) else cost
                count[0] += 1
                self.at += spent
                self.events.append((name, spent))

            return run

        return {name: runner(name, cost) for name, cost in seconds.items()}

    @property
    def clock(self):
        return Clock(self.now, self.sleep)


@pytest.fixture
def time():
    return Time()
