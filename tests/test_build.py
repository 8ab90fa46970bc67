"""The build: one declaration of C, flags that keep results, honest wheels, a complete sdist."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from refmnas import kernels

ROOT = Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"
if not (ROOT / "setup.py").exists():
    pytest.skip("needs a checkout or an unpacked sdist", allow_module_level=True)


@pytest.fixture(scope="module")
def recipe():
    """The names of csrc/build_ext.py."""
    pytest.importorskip("cffi")
    names = {"__file__": str(CSRC / "build_ext.py"), "__name__": "recipe"}
    exec(compile((CSRC / "build_ext.py").read_text(encoding="utf-8"), "build_ext.py", "exec"), names)
    return names


def test_the_cdef_is_the_header_between_two_marks(recipe):
    header = (CSRC / "refmnas_c.h").read_text(encoding="utf-8")
    assert header.count("/* cdef: begin */") == header.count("/* cdef: end */") == 1
    assert recipe["cdef"]() in header
    outside = header.replace(recipe["cdef"](), "")
    assert "rm_" not in re.sub(r"/\*.*?\*/", "", outside, flags=re.S), "a declaration that Python cannot see"


def test_the_built_extension_has_every_declaration():
    if not kernels.built():
        pytest.skip(f"no C: {kernels.why_not()}")
    from refmnas._cffi import lib

    header = re.sub(r"/\*.*?\*/", "", (CSRC / "refmnas_c.h").read_text(encoding="utf-8"), flags=re.S)
    declared = set(re.findall(r"\b(rm_\w+)\(", header)) | set(re.findall(r"\b(RM_[A-Z_]+) = \d", header))
    assert len(declared) >= 13
    assert declared <= set(dir(lib))


def test_a_change_of_any_source_asks_for_a_new_build(recipe):
    listed = set(recipe["depends"]())
    assert {p.name for p in CSRC.iterdir() if p.suffix in (".c", ".h", ".py")} == listed
    assert {name for name in listed if name.endswith(".c")} == set(recipe["SOURCES"])


def test_flags_neither_change_results_nor_bind_to_a_machine(recipe):
    flags = " ".join(recipe["FLAGS"])
    assert "-ffp-contract=off" in flags
    assert not re.search(r"fast|march|mcpu|mtune|mavx|openmp|unsafe|associative", flags)
    sources = " ".join(p.read_text(encoding="utf-8") for p in CSRC.iterdir() if p.suffix in (".c", ".h"))
    assert not re.search(r"\b(malloc|calloc|realloc|alloca|printf|puts|abort|exit|_mm_setcsr)\s*\(", sources)


def test_double_underscores_name_one_copy_of_a_function():
    """rm_<...>__<isa> and nowhere else, so that a name says whether it is dispatched."""
    header = (CSRC / "refmnas_c.h").read_text(encoding="utf-8")
    assert not re.search(r"rm_\w*__", header)


@pytest.mark.slow
def test_accumulators_stay_in_registers(recipe, tmp_path):
    """Of the vector instructions in the AVX2 runs, hardly any moves to or from the stack."""
    gcc = shutil.which("gcc")
    if not gcc or platform.machine() != "x86_64":
        pytest.skip("needs gcc on x86-64")
    text = tmp_path / "avx2.s"
    subprocess.run([gcc, *recipe["FLAGS"], "-S", "-o", str(text), "target_avx2.c"], cwd=CSRC, check=True)
    assembly = text.read_text(encoding="utf-8")
    fma = len(re.findall(r"\bvfmadd\w+ps\b.*ymm", assembly))
    spills = len(re.findall(r"\bv(?:mov|fmadd)\w+\b.*\(%r[sb]p\).*ymm|\bvmov\w+\b.*ymm\d+, .*\(%r[sb]p\)", assembly))
    assert fma > 1000
    assert spills < fma / 100, (spills, fma)


def built(folder, *, wanted="wheel", **environment):
    """The file that a build of a copy of this checkout makes."""
    source, out = folder / "source", folder / "out"
    if not source.exists():
        names = ["csrc", "refmnas", "tests", "benchmarks", "setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE"]
        names += [name for name in ("README.md", "CHANGELOG.md") if (ROOT / name).exists()]
        source.mkdir()
        tar = subprocess.run(["tar", "c", "--exclude=*.so", *names], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "x"], cwd=source, input=tar.stdout, check=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith("REFMNAS_")} | environment
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-cache-dir", "-w", str(out), str(source)]
    if wanted == "sdist":
        hook = f"from setuptools import build_meta; build_meta.build_sdist({str(out)!r})"
        out.mkdir(exist_ok=True)
        command = [sys.executable, "-c", hook]
    run = subprocess.run(command, cwd=source, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    return next(out.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"CC": "/nonexistent"}, {"REFMNAS_NO_C": "1"}], ids=str)
def test_a_wheel_without_c_is_not_tagged_as_if_it_had_c(tmp_path, environment):
    wheel = built(tmp_path, **environment)
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not any(name.endswith(".so") for name in names)
    assert "refmnas/csrc/f32_depthwise.inc.h" in names


@pytest.mark.slow
def test_c_that_is_required_and_cannot_be_built_is_an_error(tmp_path):
    with pytest.raises(AssertionError, match="refmnas"):
        built(tmp_path, CC="/nonexistent", REFMNAS_REQUIRE_C="1")


@pytest.mark.slow
def test_a_wheel_with_c_has_the_extension_and_all_sources(tmp_path):
    wheel = built(tmp_path, REFMNAS_REQUIRE_C="1")
    assert re.search(r"-cp311-abi3-|-cp3\d+t-", wheel.name), wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert sum(name.endswith((".so", ".dylib")) for name in names) == 1
    assert "refmnas/py.typed" in names
    assert {f"refmnas/csrc/{p.name}" for p in CSRC.iterdir() if p.suffix in (".c", ".h", ".py")} <= set(names)
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


@pytest.mark.slow
def test_the_sdist_holds_all_that_a_build_and_the_tests_need(tmp_path):
    try:
        from setuptools import __version__
    except ImportError:
        __version__ = "0"
    if int(__version__.split(".")[0]) < 77:
        pytest.skip(f"needs setuptools >= 77 in this environment, not {__version__}")
    with tarfile.open(built(tmp_path, wanted="sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("csrc", "refmnas", "tests"):
        have = {str(p.relative_to(ROOT)) for p in (ROOT / folder).rglob("*") if p.suffix in (".c", ".h", ".py", ".typed")}
        assert have <= names, sorted(have - names)[:5]
