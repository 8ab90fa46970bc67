"""The network of the cells that ENAS published, for CIFAR-10.

The released script has 15 normal cells and 2 reductions of 36 filters: 3,894,372 parameters, counted
as the authors' code counts (all but the auxiliary head, which has 494,848 more).  The paper's 4.6 M
would be the same cells and filters with 18 normal cells: one more in each of the three stages, whose
39,384 + 138,384 + 515,232 parameters make 4,587,372 (arithmetic; which cells the paper
counted was not checked).  No other even number of filters from 32 to 40 with 15 cells gives 4.6 M, and
15 cells of 36 with the auxiliary head have 4,389,220.
"""

from __future__ import annotations

from ...blocks.genotype import Genotype
from ..cell_spec import CellSpec
from ..spec import Head, Stem

OPERATIONS = ("sep3", "sep5", "avg3", "max3", "none")
# fixed_arc of scripts/cifar10_micro_final.sh: for each sum (state, operation) twice
NORMAL = "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1"
REDUCTION = "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"


def genotype(arc, stride=1):
    """The table of an arc.  Its states 0 and 1 are the result before the last and the last: ours are h1 and h0.

    >>> genotype("0 2 0 0").sums
    (('avg3', 1, 'sep3', 1),)
    """
    numbers = [int(word) for word in arc.split()]
    states = [{0: 1, 1: 0}.get(k, k) for k in numbers[::2]]
    pairs = list(zip(numbers[1::2], states, strict=True))
    sums = ((OPERATIONS[f], i, OPERATIONS[g], j) for (f, i), (g, j) in zip(pairs[::2], pairs[1::2], strict=True))
    return Genotype(tuple(sums), stride=stride)


MICRO = CellSpec(
    name="enas-micro",
    source="Pham et al. 2018, ENAS, arXiv:1802.03268; melodyguan/enas src/cifar10/micro_child.py, cifar10_micro_final.sh",
    stem=Stem(3, 1, 108),
    normal=genotype(NORMAL),
    reduction=genotype(REDUCTION, stride=2),
    filters=36,
    repeats=5,
    head=Head(0, classes=10, dropout=0.2, bias=False),
    rules="enas",
    size=32,
    drop_path=0.4,
    sources=("official",),
)

SPECS = (MICRO,)
