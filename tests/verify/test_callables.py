"""refmnas.verify.op: every planted fault is found, shrunk and named; no sound kernel is ever accused."""

import json
import os
import time

import kernels_by_hand as right
import numpy as np
import pytest
from kernel_faults import FAULTS
from sound_kernels import ORDERS, sums

from refmnas.backend import TABLE
from refmnas.cases import prove
from refmnas.errors import DtypeError, SpecError
from refmnas.verify import op
from refmnas.verify.callables import CODES

FAST = ("pads of left and right exchanged", "channels behind whole vectors of 8 are left 0", "sums in float16",
        "denormal inputs flushed", "an activation in place", "the last row of out is left as it was",
        "a sum in another order at each call", "the last vector is stored whole",
        "an address of 0 where the image is narrower than the kernel",
        "the second channel's weights used for all, in NCHW", "a mean in float64, and not brought back")  # fmt: skip
SLOW = [fault for fault in FAULTS if fault.name not in FAST]


def found(fault):
    """The report on a planted fault, which must be one, within a minute."""
    start = time.monotonic()
    report = op(fault.function, fault.fn, **fault.more)
    assert report.verdict == "fault", f"{fault.name}: not seen\n{report}"
    assert report.exit_code == 1
    assert time.monotonic() - start < 60
    codes = fault.code if isinstance(fault.code, tuple) else (fault.code,)
    assert report.fault["code"] in codes, f"{fault.name}\n{report}"
    if fault.cause:
        assert report.fault["cause"]["code"] == fault.cause, f"{fault.name}\n{report}"
    return report


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.name in FAST], ids=lambda f: f.name)
def test_a_planted_fault_is_found_and_named(fault):
    found(fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", SLOW, ids=lambda f: f.name)
def test_every_planted_fault_is_found_and_named(fault):
    found(fault)


def test_there_are_enough_faults():
    assert len(FAULTS) >= 25
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {f.name for f in FAULTS} >= set(FAST)
    seen = {code for f in FAULTS for code in (f.code if isinstance(f.code, tuple) else (f.code,))}
    assert seen | {"WRONG-TYPE"} == set(CODES)  # which test_what_is_no_array_is_named has


@pytest.mark.parametrize("number", range(len(ORDERS)), ids=lambda number: ORDERS[number].__name__)
def test_a_sound_kernel_is_not_accused(number):
    kernels = sums(ORDERS[number])
    for function, kernel in kernels[number % 3 :: 3]:
        report = op(function, kernel, cases=2, seed=100)
        assert report.verdict == "within-rounding", str(report)


@pytest.mark.slow
def test_ten_thousand_problems_accuse_no_sound_kernel():
    judged = 0
    for seed, order in enumerate(ORDERS):
        for function, kernel in sums(order):
            report = op(function, kernel, cases=30, seed=1000 * (seed + 1), seconds=600)
            assert report.verdict == "within-rounding", str(report)
            judged += sum(report.judged.values())
    assert judged >= 10_000


@pytest.mark.parametrize("function", sorted(TABLE))
def test_our_own_texts_are_not_accused(function):
    def ours(*arrays, **options):
        return prove.op(function)(*arrays, **options)

    report = op(function, ours, cases=2, seed=500)
    assert report.verdict == "within-rounding", str(report)
    assert report.exit_code == 0
    assert report.margin <= 1
    if TABLE[function].turns and function.startswith(("conv", "depthwise", "batchnorm", "pool", "gate")):
        report = op(function, lambda *a, **o: ours(*a, **o, layout="NCHW"), cases=1, layout="NCHW")
        assert report.verdict == "within-rounding", str(report)


def two_wrong(x, w, b=None, **options):
    """Wrong where the third column exists."""
    y = right.depthwise(x, w, b, **options)
    y[:, :, 2:3] += 1
    return y


def test_the_failure_is_shrunk_to_one_element_and_its_line_repeats_it():
    report = op("depthwise.forward", two_wrong)
    fault = report.fault
    assert fault["case"].startswith("depthwise n=1 h=1 w=3 kh=1 kw=1 stride=1 dilation=1 pad=0,0,0,0 bias=False c=1 ")
    assert (fault["result"], fault["index"], fault["bad"], fault["size"]) == ("y", [0, 0, 2, 0], 1, 3)
    assert fault["came"] == fault["want"] + 1
    again = eval(fault["again"], {"refmnas": __import__("refmnas"), "fn": two_wrong})
    assert again.verdict == "fault"
    assert again.fault["index"] == fault["index"]


def test_the_report_is_text_and_json():
    report = op("depthwise.forward", two_wrong)
    record = json.loads(report.to_json())
    assert record["verdict"] == "fault"
    assert record["fault"]["code"] == "WRONG-VALUES"
    for words in ("fault, WRONG-VALUES", "smallest", "again      refmnas.verify.op(", "not tried"):
        assert words in str(report)


def test_what_was_not_tried_is_said():
    report = op("depthwise.forward", lambda x, w, b=None: right.depthwise(x, w, b), cases=3, only={"kh": (3,), "kw": 3})
    assert report.verdict == "within-rounding"
    text = "\n".join(report.blind)
    for words in ("stride: the kernel does not take it; only 1 was tried", "dilation: the kernel", "kh other than 3", "c = "):
        assert words in text, text

    def only_stride_1(x, w, b=None, *, stride=1, **options):
        if stride != 1:
            raise NotImplementedError("stride")
        return right.depthwise(x, w, b, **options)

    report = op("depthwise.forward", only_stride_1, cases=12)
    assert report.verdict == "within-rounding"
    assert report.declined
    assert any("declined" in text for text in report.blind)
    report = op("pointwise.backward", lambda dy, x, w: (right.pointwise_backward(dy, x, w)[0], None, None), cases=4)
    assert report.verdict == "within-rounding"
    assert "db, dw: the kernel does not compute it" in report.blind


def test_a_kernel_that_declines_everything_is_inconclusive():
    def nothing(x):
        raise NotImplementedError

    report = op("pool.forward", nothing, cases=3)
    assert (report.verdict, report.exit_code, report.reason) == ("inconclusive", 3, "no problem was judged")


def test_the_time_ends_a_search():
    def slow(x):
        time.sleep(0.05)
        return right.pool(x)

    report = op("pool.forward", slow, cases=1000, seconds=0.5)
    assert report.verdict == "within-rounding"
    assert report.seconds < 5
    assert any("the time was up" in text for text in report.blind)


def test_an_endless_loop_ends_in_a_process_and_in_a_thread(monkeypatch):
    from refmnas.verify.callables import child

    def endless(x):
        while True:
            pass

    assert op("pool.forward", endless, limit_s=0.1, cases=1).fault["code"] == "HANGS"
    init = child.Runner.__init__

    def unforked(self, fn, limit_s):
        init(self, fn, limit_s)
        self.forks = False

    monkeypatch.setattr(child.Runner, "__init__", unforked)
    assert op("pool.forward", endless, limit_s=0.1, cases=1).fault["code"] == "HANGS"
    assert op("pool.forward", right.pool, cases=2).verdict == "within-rounding"


@pytest.mark.parametrize("wrong", [None, "text", [1.0, 2.0, {}], object()])
def test_what_is_no_array_is_named(wrong):
    assert op("pool.forward", lambda x: wrong, cases=1).fault["code"] in ("WRONG-TYPE", "WRONG-COUNT")
    assert op("pool.forward", lambda x: object(), cases=1).fault["code"] == "WRONG-TYPE"


def test_the_kernel_runs_elsewhere_and_our_state_is_untouched():
    calls = []
    op("pool.forward", lambda x: calls.append(1) or right.pool(x), cases=2)
    assert calls == []


@pytest.mark.slow
def test_gigabytes_are_judged_at_sampled_outputs():
    """A byte offset of 32 bits: what lies beyond 2 GiB comes from the beginning."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") if hasattr(os, "sysconf") else 0
    if memory < 8 << 30:
        pytest.skip(f"{memory >> 30} GiB of memory are free, wanted 8")
    assert op("gate.forward", lambda x, g: prove.op("gate.forward")(x, g), large=True).verdict == "within-rounding"

    def wrapped(x, g):
        y = prove.op("gate.forward")(x, g).reshape(-1)
        y[1 << 29 :] = y[: y.size - (1 << 29)]
        return y.reshape(x.shape)

    report = op("gate.forward", wrapped, large=True)
    assert report.verdict == "fault"
    assert np.ravel_multi_index(report.fault["index"], (2, 2903, 2903, 33)) >= 1 << 29


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("no large arrays for softmax.forward", {"function": "softmax.forward", "large": True}),
        ("no function 'pool.sideways'", {"function": "pool.sideways"}),
        ("layout is 'NWHC'", {"layout": "NWHC"}),
        ("takes no layout", {"function": "linear.forward", "layout": "NCHW"}),
        ("data is 'random'", {"data": "random"}),
        ("only has 'colour'", {"only": {"colour": 1}}),
        ("only has no value for c", {"only": {"c": ()}}),
        ("cases=0", {"cases": 0}),
        ("wanted one of pool.forward", {"case": "gate n=1 h=1 w=1 c=1 seed=0"}),
        ("is no op", {"case": "nothing"}),
        ("keep has 'x'", {"case": "pool n=1 h=1 w=1 c=1 seed=0", "keep": {"x": [9]}}),
        ("no case of pool.forward fits", {"only": {"n": 1, "h": 100_000, "w": 100_000}}),
    ],
)
def test_bad_calls_are_refused(words, change):
    given = {"function": "pool.forward", "cases": 2} | change
    function = given.pop("function")
    with pytest.raises(SpecError, match=words):
        op(function, right.pool, **given)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(DtypeError, match="fn is int, wanted something to call"):
        op("pool.forward", 7)
    with pytest.raises(SpecError, match="takes no eps"):
        op("batchnorm.forward", lambda x, gamma, beta: x)


def test_a_torch_like_result_is_taken_as_an_array():
    class Tensor:
        def __init__(self, a):
            self.a = a

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.a, dtype)

    assert op("pool.forward", lambda x: Tensor(right.pool(x)), cases=2).verdict == "within-rounding"
