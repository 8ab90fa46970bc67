"""The parts of this folder import one another by their plain names; without C there is no engine."""

import sys
from pathlib import Path

from refmnas import kernels

sys.path.insert(0, str(Path(__file__).resolve().parent))

collect_ignore_glob = [] if kernels.built() else ["test_*.py"]
