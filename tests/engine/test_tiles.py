"""The built tiles are what their contracts say: so many multiply-adds, each operand read once, no vector spilled.

Read from the extension itself.  Per channel a pw tile has N reads of weights, M broadcasts
and M * N multiply-adds; a stem tile likewise per column and channel of the window, a gc
tile per channel of a window's pixel; a dw tile reads a row's pixels and the taps once.
"""

import importlib.util
import platform
import re

import disassembly
import pytest

from refmnas import _cffi, kernels
from refmnas.engine import early, pack

if disassembly.objdump() is None or platform.machine() not in ("x86_64", "AMD64"):
    pytest.skip("needs objdump and an extension for x86", allow_module_level=True)

LIBRARY = _cffi.__file__
FUNCTIONS = disassembly.functions(LIBRARY)
if not any(name.startswith("rm_step_band__") for name in FUNCTIONS):
    pytest.skip("the extension has no symbols", allow_module_level=True)


def _generator():
    spec = importlib.util.spec_from_loader("tiles", loader=None)
    module = importlib.util.module_from_spec(spec)
    exec(kernels.source("tiles.py"), vars(module))
    return module


tiles = _generator()
PASS = 8  # channels of a pass of a pw tile's loop: tiles.pointwise; of a gc tile's: tiles.PIECE
COLUMNS = 9  # columns and channels of a pass of a stem tile's loop: tiles.stem

# The tiles that most multiply-adds of the networks pass through.
MAIN = [
    ("avx2", "pw_n3m4"), ("avx2", "pw_n2m5"), ("avx2", "pw_n2m4"), ("avx2", "stem_n2m4"), ("avx2", "dw_k3s1r7"),
    ("avx2", "dw_k5s1r7"), ("avx2", "dw_k3s1r8"), ("avx2", "dw_k5s1r8"), ("avx512", "pw_n3m7"), ("avx512", "pw_n2m10"),
    ("avx512", "stem_n2m7"), ("avx512", "dw_k3s1r7"), ("avx512", "dw_k5s1r7"),
]  # fmt: skip


def lines_of(isa, name):
    """A tile's own function, or the one that it was made a part of; None where it is neither."""
    holder = "pw" if name.startswith("pw_n8") else re.sub(r"r\d+$", "", name)
    return FUNCTIONS.get(f"rm_{name}__{isa}") or FUNCTIONS.get(f"rm_{holder}__{isa}")


def expected(name):
    """(multiply-adds, reads) of a tile's innermost loop; three kernel rows of a dw tile are no loop."""
    if found := re.fullmatch(r"(pw|stem|gc)_n(\d+)m(\d+)", name):
        passes, n, m = COLUMNS if found[1] == "stem" else PASS, int(found[2]), int(found[3])
        return passes * n * m, passes * (n + m)
    kernel, stride, run = map(int, re.fullmatch(r"dw_k(\d)s(\d)r(\d+)", name).groups())
    rows = 3 if kernel == 3 else 1
    return rows * kernel * run, rows * ((run - 1) * stride + kernel + kernel)


def parameters():
    for isa in ("avx2", "avx512"):
        for name in tiles.tiles(isa):
            if re.search(r"m\d+$|r\d+$", name) is None:
                continue
            yield pytest.param(isa, name)


@pytest.mark.parametrize(("isa", "name"), [*parameters()])
def test_a_tile_reads_each_operand_once_and_spills_no_vector(isa, name):
    lines = lines_of(isa, name)
    assert lines, f"no function holds {name}"
    counts, (fma, reads) = disassembly.counted(lines), expected(name)
    assert counts.fma == fma, counts
    # Around three unrolled rows stand the bias, and ReLU6's constant.
    assert reads <= counts.reads <= reads + (2 if name.startswith("dw_k3") else 0), counts
    assert counts.spills == 0, counts


@pytest.mark.parametrize(("isa", "name"), MAIN)
def test_the_main_tiles_leave_the_stack_alone(isa, name):
    counts = disassembly.counted(lines_of(isa, name))
    assert (counts.spills, counts.reloads) == (0, 0), counts


def test_the_registers_suffice_for_every_tile():
    """M * N accumulators, N weights and one more."""
    for isa, registers in (("avx2", 16), ("avx512", 32)):
        for name in tiles.tiles(isa):
            if found := re.fullmatch(r"(pw|stem|gc)_n([1-4])m(\d+)", name):
                n, m = int(found[2]), int(found[3])
                assert m * n + n + 1 <= registers, (isa, name)


TEXT = """
0000000000001000 <rm_pw_n1m1__avx2>:
    1000:	xor    %eax,%eax
    1002:	vmovups (%rdi),%ymm0
    1006:	vbroadcastss 0x4(%rsi),%ymm1
    100a:	vfmadd231ps %ymm0,%ymm1,%ymm2
    100e:	vmovaps %ymm2,0x20(%rsp)
    1012:	vfmadd231ps 0x20(%rdi),%ymm1,%ymm3
    1016:	mov    0x8(%rsp),%rcx
    101a:	jne    1002 <rm_pw_n1m1__avx2+0x2>
    101c:	ret
"""


def test_a_spill_and_a_second_read_are_seen(monkeypatch):
    run = disassembly.subprocess.run
    monkeypatch.setattr(disassembly.subprocess, "run", lambda *_, **__: type("Run", (), {"stdout": TEXT}))
    lines = disassembly.functions("anything")["rm_pw_n1m1__avx2"]
    monkeypatch.setattr(disassembly.subprocess, "run", run)
    assert len(disassembly.hottest(lines)) == 7
    assert disassembly.counted(lines) == disassembly.Counts(fma=2, reads=3, spills=1, reloads=1)


def test_a_tile_asks_for_as_many_lines_as_the_plan_counts_on():
    assert early.LINES == tiles.LATER
    assert pack.LINE == tiles.LINE
