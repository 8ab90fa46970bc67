"""Pages: well-formed, self-contained, with everything that the record says; and the rows that text and CSV share."""

import copy
import csv
import io
import json
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from bench_records import result
from hypothesis import given
from hypothesis import strategies as st
from pages import checked

from refmnas import kernels
from refmnas.report import bench, charts, memory, page, plan, rows, svg


def test_a_bench_is_one_page_with_every_competitor():
    text = checked(bench.bench(result()))
    for words in ("mnasnet-b1, torchvision, 224 x 224, batch 1, 2 threads", "1.0.20261020", "wrong", "GFLOP/s of a core"):
        assert words in text
    assert "torch is not installed" in text
    assert "stages.1.0: expand, depthwise" in text
    assert "depthwise n=1" in text


def test_a_partial_result_says_so():
    assert "Partial:" not in checked(bench.bench(result()))
    assert "Partial:" in checked(bench.bench(result() | {"is_partial": True}))


def test_words_of_others_are_escaped():
    given = result()
    given["cells"][0]["competitors"][1]["description"] = '<b onload="x">&'
    given["cells"][0]["warnings"] = ["<script>"]
    given["command"] = "refmnas bench '<i>'"
    text = checked(bench.bench(given))
    assert "<script>" in text


def test_an_empty_result_is_a_page_too():
    empty = result() | {"cells": [], "layers": [], "ops": [], "failed": [{"model": "m", "threads": 1, "why": "crash"}]}
    empty["machine"]["ceilings"] = {"gflops": {}, "gbytes_per_s": {}}
    assert "crash" in checked(bench.bench(empty))


def test_a_cell_that_nobody_finished_is_a_page_too():
    given = result()
    cell = given["cells"][0]
    cell |= {"competitors": [{"name": "refmnas", "absent": "fails"}], "best_peer": None, "criterion": None, "bound_ms": None}
    assert "fails" in checked(bench.bench(given))


def test_csv_has_a_line_per_competitor_and_no_more_columns_than_are_named():
    given = result()
    lines = list(csv.DictReader(io.StringIO(rows.as_csv(given))))
    assert [line["competitor"] for line in lines] == [row["name"] for row in given["cells"][0]["competitors"]]
    assert tuple(lines[0]) == rows.COLUMNS
    assert float(lines[0]["median_ms"]) == given["cells"][0]["competitors"][0]["median_ms"]
    assert lines[0]["ratio_low"] == "1.1"
    assert lines[-1]["absent"] == "torch is not installed"
    assert lines[-1]["median_ms"] == ""


def test_rows_of_a_table_have_its_columns():
    given = result()
    for header, found in (
        (rows.CELL, rows.competitors(given["cells"][0])),
        (rows.STEP, rows.steps(given["layers"][0])),
        (rows.OP, [rows.op(record) for record in given["ops"]]),
    ):
        assert {len(cells) for _, cells in found} == {len(header)}


def test_the_record_is_json():
    assert json.loads(json.dumps(result(), allow_nan=False)) == result()


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=30), st.floats(1, 40))
def test_labels_moved_apart_stay_in_order_and_apart(places, gap):
    moved = svg.apart(places, gap)
    assert all(m >= p for m, p in zip(moved, places, strict=True))
    ordered = sorted(moved)
    assert all(b - a >= gap * (1 - 1e-9) for a, b in pairwise(ordered))


@given(st.floats(1e-6, 1e9))
def test_ticks_are_few_and_round(most):
    found = svg.ticks(most)
    assert 2 <= len(found) <= 7
    assert found[0] == 0
    assert found[-1] <= most * (1 + 1e-9)


def test_bars_and_rooflines_stay_in_their_frame():
    row = {"label": "a", "value": 3.0, "low": 2.0, "high": 9.0, "kind": "ours"}
    points = [{"label": "p", "intensity": 0.01, "gflops": 0.5, "kind": "ours", "tip": ""}]
    roofline = charts.roofline(points, {"256-bit": 100.0}, {"L1": 200.0}, title="r")
    for picture in (charts.bars([row], unit="ms", title="t", bound=1.0), roofline):
        tree = ElementTree.fromstring(picture)
        _, _, width, height = map(float, tree.get("viewBox").split())
        limits = dict.fromkeys(("x", "x1", "x2", "cx"), width) | dict.fromkeys(("y", "y1", "y2", "cy"), height)
        for mark in tree.iter():
            for key, most in limits.items():
                if mark.get(key):
                    assert 0 <= float(mark.get(key)) <= most, ElementTree.tostring(mark)


@pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")
def test_a_plan_is_a_page_with_every_buffer_within_the_memory():
    from refmnas.engine.describe import describe
    from refmnas.models import build

    record = describe(build("mnasnet-a1", width=0.35, size=65), threads=2)
    json.dumps(record, allow_nan=False)
    assert all(b["at"] + b["bytes"] <= record["memory"]["arena"] for b in record["buffers"])
    for b in record["buffers"]:
        for c in record["buffers"]:
            together = b is not c and b["first"] <= c["last"] and c["first"] <= b["last"]
            assert not together or b["at"] + b["bytes"] <= c["at"] or c["at"] + c["bytes"] <= b["at"]
    picture = memory.picture(record)
    assert picture.count("<rect") == len(record["buffers"]) + 1
    text = checked(plan.plan(record))
    assert "scratch of 2 threads" in text
    assert "head.dense" in text


def test_the_reading_page_shares_the_frame():
    from refmnas import reading
    from refmnas.reading import html

    assert page.STYLE in html.page(reading.open("pool"))


def test_pages_do_not_change_what_they_are_given():
    given = result()
    before = copy.deepcopy(given)
    bench.bench(given)
    rows.as_csv(given)
    assert given == before
