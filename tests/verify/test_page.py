"""docs/verify.md: its C++ writes what we read, and its tables are the report."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sound_runs import captured as sound
from sound_runs import filled

from refmnas import io
from refmnas.verify import captured

PAGE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")
MAIN = 'int main(int, char **a) { save(a[1], {{"input", {{1, 2}, {1.5f, -2}}}, {"features.0.0", {{3}, {0, 1, 2}}}}); }'


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_the_recipe_in_cpp_writes_a_capture(tmp_path):
    code = re.search(r"```cpp\n(.*?)```", PAGE, re.S).group(1)
    (tmp_path / "a.cpp").write_text(code + MAIN)
    subprocess.run(["g++", "-std=c++17", "-o", tmp_path / "a", tmp_path / "a.cpp"], check=True)
    subprocess.run([tmp_path / "a", tmp_path / "run.safetensors"], check=True)
    found = io.load(tmp_path / "run.safetensors")
    np.testing.assert_array_equal(found["input"], np.float32([[1.5, -2]]))
    np.testing.assert_array_equal(found["features.0.0"], np.float32([0, 1, 2]))


def test_the_tables_name_every_field():
    net = filled("mobilenet-v2", 0.35, "torchvision")
    run = sound(net)
    run["classifier.1"][0, 3] += 1
    record = captured(run, net).to_dict()
    words = set(re.findall(r"\w+", PAGE))
    layer = next(each for each in record["layers"] if each["verdict"] == "fault")
    fields = {*record, *layer, *layer["worst"], *layer["where"], *layer["tests"][0], *record["unknown"]} - {"channels_of"}
    assert {field for field in fields if field not in words} <= {"schema"}
