"""The reader's path: everything shown is cut from the sources, matched by equation number."""

import json
import re

import numpy as np
import pytest

from refmnas import kernels, reading
from refmnas.cases import CASES, OPS
from refmnas.cli import main
from refmnas.errors import KernelError
from refmnas.reading import equations, html, sources, worked
from refmnas.reading.path import PATH

HAS_C_SOURCES = True
try:
    kernels.source("f32_depthwise.inc.h")
except KernelError:
    HAS_C_SOURCES = False


@pytest.mark.parametrize("op", OPS)
def test_an_op_shows_equation_oracle_and_reference(op):
    page = reading.open(op)
    assert page.rows
    for row in page.rows:
        assert row.equations
        assert row.oracle[0].code.startswith(f"def {row.function}(")
        assert row.reference[0].code.startswith(f"def {row.function}(")
        assert set(row.reference[0].numbers) <= set(row.equations)
        assert row.worked is not None, row.function
    shown = {number for row in page.rows for number in row.equations}
    assert shown == set(equations.defined(__import__(f"refmnas.ops.{op}", fromlist=["_"]).__doc__))


@pytest.mark.parametrize("op", OPS)
def test_a_worked_example_is_a_valid_case_and_its_margins_hold(op):
    case = worked.tiny(CASES[op], op)
    assert case.is_valid()
    assert case.macs() <= 1000
    for row in reading.open(op).rows:
        assert row.worked.agree or row.worked.differ
        assert row.worked.judged
        assert all(judged.margin <= 1 for judged in row.worked.judged)


@pytest.mark.parametrize("op", ["conv", "depthwise", "pointwise", "linear"])
def test_the_written_out_sum_is_right(op):
    terms = reading.open(op).rows[0].worked.terms
    left, products, result = terms.split(" = ")
    total = eval(products, {"__builtins__": {}})  # digits, signs, brackets, * and + alone
    assert re.fullmatch(r"[-+*(). \d]+", products)
    assert total == float(result)
    y = reading.open(op).rows[0].worked.outputs["y"]
    at = tuple(int(k) for k in re.findall(r"\d+", left))
    assert y[at] == total


@pytest.mark.skipif(not HAS_C_SOURCES, reason="the C sources are not installed")
def test_c_functions_stand_beside_their_equations():
    forward, backward = reading.open("depthwise").rows
    assert "f32_depthwise_fwd" in {piece.name for piece in forward.c}
    assert {"f32_depthwise_bwdx", "f32_depthwise_bwdw"} <= {piece.name for piece in backward.c}
    assert not {piece.name for piece in forward.c} & {"f32_depthwise_bwdx", "f32_depthwise_bwdw"}
    for piece in (*forward.c, *backward.c):
        assert piece.code in kernels.source(piece.where.split("/")[1].split(":")[0])


def test_places_are_those_of_the_files():
    root = sources.package_root()
    for name in reading.subjects():
        for row in reading.open(name).rows:
            for piece in (*row.oracle, *row.reference):
                path, line = piece.where.split(":")
                text = (root / path).read_text(encoding="utf-8").splitlines()
                assert text[int(line) - 1].strip() == piece.code.splitlines()[0].strip()


def test_equation_numbers_are_read_with_ranges():
    assert equations.referred("Equations (2), (3), (4): the tuple") == (2, 3, 4)
    assert equations.referred("Equations (5) to (7) and more") == (5, 6, 7)
    assert equations.referred("/* Equation (1). */") == (1,)
    assert equations.referred("as in eq. (3) of the paper") == ()


def test_shortened_code_keeps_every_statement():
    code = 'def f(x):\n    """One.\n\n    Shapes   x.\n    """\n    return x\n'
    assert sources.shortened(code) == 'def f(x):\n    """One."""\n    return x\n'


@pytest.mark.parametrize("step", PATH)
def test_the_reading_path_can_be_walked(step, capsys):
    assert main(["read", step.name]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{step.name}: ")
    assert "In numbers" in out


@pytest.mark.parametrize("name", ["conv_bn_act", "squeeze_excite", "separable", "mbconv"])
def test_a_blocks_backward_is_within_what_its_example_allows(name):
    example = reading.open(name).built
    assert abs(example.claimed - example.measured) <= example.allowed <= 1e-5 * abs(example.measured)


def test_html_is_one_file_without_outside_parts(tmp_path, capsys):
    target = tmp_path / "depthwise.html"
    assert main(["read", "depthwise", "--html", str(target)]) == 0
    text = target.read_text(encoding="utf-8")
    assert not re.search(r"<(?:script|link|img|iframe)|src=|url\(|https?://", text)
    for heading in ("Equation", "Oracle: the definition", "NumPy reference", "C template"):
        assert f"<h3>{heading}</h3>" in text
    assert "prefers-color-scheme: dark" in text
    assert [p.name for p in tmp_path.iterdir()] == ["depthwise.html"]
    assert str(target) in capsys.readouterr().out


def test_html_escapes_what_it_shows():
    line, _ = html._coloured("if (a < b && c > d) /* (1) & */", "")
    assert "a &lt; b &amp;&amp; c &gt; d" in line
    assert "<span class=n>(1)</span> &amp; */" in line


def test_json_of_a_page(capsys):
    assert main(["read", "gate", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    forward = page["rows"][0]
    x, g = (np.array(forward["worked"]["inputs"][name]) for name in "xg")
    assert np.array_equal(np.array(forward["worked"]["outputs"]["y"]), x * g[:, None, None])


def test_an_unknown_subject_names_the_nearest(capsys):
    assert main(["read", "depthwize"]) == 2
    assert "did you mean 'depthwise'" in capsys.readouterr().err
