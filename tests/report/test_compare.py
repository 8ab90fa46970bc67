"""The page of a comparison: the front, the picture, what stands in the table and what is said beside it."""

import copy
import json
import math
from xml.etree import ElementTree

import pytest
from bench_records import result
from hypothesis import given
from hypothesis import strategies as st
from pages import checked

from refmnas.report import compare, pareto

TIME = {"min_ms": 1.9, "q1_ms": 2.0, "median_ms": 2.0, "q3_ms": 2.1, "is_wrong": False, "is_noisy": False, "version": "1"}


def network(name="mnasnet-a1", **changed):
    figure = {"network": name, "width": 1.0, "dialect": "timm", "size": 224, "top1": 75.45, "top5": None, "weights": "w"}
    return {
        "network": name, "dialect": "timm", "width": 1.0, "multiplier": 1.0, "size": 224,
        "weights": None, "parameters": 3_887_038,
        "macs": 311_579_072, "memory": {"weights": 1, "arena": 1 << 20, "scratch": 0}, "latency": dict(TIME), "peers": {},
        "why": None, "published": figure | {"source": "a page"}, "measured": None,
    } | changed  # fmt: skip


def record(*networks, **changed):
    machine = result()["machine"]
    return {"kind": "refmnas compare", "schema": 1, "date": "then", "command": "refmnas compare <x>", "machine": machine,
            "threads": 2, "is_partial": False, "networks": list(networks)} | changed  # fmt: skip


POINTS = st.lists(st.tuples(st.sampled_from([1.0, 2.0, 3.0, 4.0]), st.sampled_from([60.0, 65.0, 70.0])), min_size=1, max_size=9)


@given(POINTS)
def test_the_front_is_what_nothing_beats(points):
    best = set(pareto.front(points))
    assert best
    for k, (ms, accuracy) in enumerate(points):
        beaten = [q for q in points if q[0] <= ms and q[1] >= accuracy and q != (ms, accuracy)]
        assert (k in best) == (not beaten)


SPREAD = st.lists(st.tuples(st.floats(0.01, 1e4), st.floats(0, 100)), min_size=1, max_size=14)


@given(SPREAD)
def test_a_picture_keeps_all_in_its_frame(points):
    given_points = [{"label": f"network {k}", "ms": ms, "accuracy": a, "tip": ""} for k, (ms, a) in enumerate(points)]
    tree = ElementTree.fromstring(pareto.picture(given_points, title="t"))
    _, _, width, height = map(float, tree.get("viewBox").split())
    limits = dict.fromkeys(("x", "x1", "x2", "cx"), width) | dict.fromkeys(("y", "y1", "y2", "cy"), height)
    for mark in tree.iter():
        for key, most in limits.items():
            if mark.get(key):
                assert 0 <= float(mark.get(key)) <= most, ElementTree.tostring(mark)
    assert len(tree.findall("circle")) == len(points)


def test_times_rise_to_the_right_and_accuracies_upwards():
    points = [{"label": n, "ms": ms, "accuracy": a, "tip": ""} for n, ms, a in (("a", 1, 60), ("b", 2, 70), ("c", 4, 65))]
    circles = ElementTree.fromstring(pareto.picture(points, title="t")).findall("circle")
    (x1, y1), (x2, y2), (x3, y3) = ((float(c.get("cx")), float(c.get("cy"))) for c in circles)
    assert x1 < x2 < x3
    assert math.isclose(x2 - x1, x3 - x2, abs_tol=0.02)  # a ratio is a distance; coordinates have two places
    assert y2 < y3 < y1
    assert [c.get("class") for c in circles] == ["ours", "ours", "hollow"]


def test_labels_do_not_cover_one_another():
    """Twelve networks as they come: every label has a free place."""
    ms = (7.4, 6.1, 2.0, 8.3, 5.9, 6.7, 2.3, 8.0, 15.3, 7.6, 12.1, 3.4)
    top = (75.5, 73.5, 66.2, 70.9, 71.9, 74.0, 67.7, 75.5, 77.7, 75.1, 76.7, 72.8)
    places = [(100 + 40 * t, 400 - 20 * (a - 66)) for t, a in zip(ms, top, strict=True)]
    marks = pareto._labels([f"efficientnet-b{k}" for k in range(12)], places, [])
    boxes = []
    for mark in map(ElementTree.fromstring, marks):
        wide = pareto.LETTER * len(mark.text)
        kind = mark.get("class").split()[-1]
        left = float(mark.get("x")) - {"halo": 0, "r": wide, "m": wide / 2}[kind]
        boxes.append((left, float(mark.get("y")) - 11, left + wide, float(mark.get("y")) + 3))
    assert not any(pareto._covers(a, b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_a_page_has_every_network_and_the_source_of_every_figure():
    peer = TIME | {"median_ms": 3.25}
    one = network(peers={"ort": peer, "ncnn": {"absent": "ncnn is not installed"}})
    two = network("regnetx-400mf", latency=None, memory=None, why="no step takes it", published=None, dialect="pycls")
    three = network("mobilenet-v1", measured={"top1": 61.5, "top5": 83.25, "images": 200}, latency=TIME | {"is_noisy": True})
    text = checked(compare.page_of(record(one, two, three)))
    for words in ("mnasnet-a1", "3,887,038", "311.6 M", "1.00 MiB", "3.25", "75.5", "61.50", "83.25", "a page", "~ 2.00",
                  "on 200 images",
                  "regnetx-400mf: no latency: no step takes it", "regnetx-400mf: no published accuracy that was checked",
                  "ncnn: ncnn is not installed (all)", "Accuracy measured here", "compare <x>", "2 threads"):  # fmt: skip
        assert words in text, words


def test_a_figure_of_another_size_is_told_and_not_drawn():
    other = network(size=160)
    assert compare.points(record(other), "published") == []
    assert "* 75.5" in compare.table(record(other))[0]
    assert any(line.startswith("*: ") for line in compare.remarks(record(other)))
    assert len(compare.points(record(network(dialect="tf")), "published")) == 1


def test_a_wrong_output_has_no_point():
    wrong = network(latency=TIME | {"is_wrong": True})
    assert compare.points(record(wrong), "published") == []
    assert "wrong 2.00" in compare.table(record(wrong))[0]


def test_rows_have_the_columns_of_their_header():
    given_record = record(network(peers={"ort": dict(TIME)}), network("b", measured={"top1": 1.0, "top5": None, "images": 3}))
    assert {len(row) for row in compare.table(given_record)} == {len(compare.header(given_record))}
    assert {len(row) for row in compare.sources(given_record)} == {len(compare.FROM)}


def test_the_same_network_twice_is_told_apart_by_its_dialect():
    three = record(network(), network(dialect="tf"), network("b", multiplier=0.75))
    assert compare.names(three) == ["mnasnet-a1@timm", "mnasnet-a1@tf", "b x0.75"]


@pytest.mark.parametrize("networks", [[], [network(latency=None, why="interrupted", memory=None)]])
def test_little_is_a_page_too(networks):
    given_record = record(*networks, is_partial=True)
    before = copy.deepcopy(given_record)
    assert "Partial:" in checked(compare.page_of(given_record))
    assert given_record == before == json.loads(json.dumps(given_record, allow_nan=False))
