"""`refmnas verify`: is another implementation right, and if not, in which layer and why."""

from __future__ import annotations

from . import _verify_captured, _verify_gradients, _verify_runtime, _verify_tolerance

WAYS = (_verify_captured, _verify_runtime, _verify_gradients, _verify_tolerance)  # each has `add(ways)` and `run(args)`


def add(subparsers):
    command = subparsers.add_parser(
        "verify",
        help="judge another implementation layer by layer",
        description="Every layer of another implementation is fed what that implementation itself fed it, and compared with "
        "the float64 reference under a bound that no sound run exceeds.  Exit 0: within rounding, 1: a fault, "
        "3: inconclusive.  Every way takes --json and --html.",
        epilog="Example: refmnas verify captured run.npz --model mobilenet-v3-large --weights v3.pth",
    )
    ways = command.add_subparsers(dest="way", metavar="WAY", required=True)
    for way in WAYS:
        way.add(ways)
