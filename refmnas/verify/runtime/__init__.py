"""Run another runtime on a network or on a file, and judge what it computes.

    judged(subject, runtime, x)     the `Report` on two runs: every tensor shown, and untouched
    of_network, of_file             the subject: a network as the files that we write of it, or a user's own file
    open_runtime(name, ...)         ort, openvino, litert, ncnn or torch with the subject in it

A tensor that is an output is not fused away: so what is judged tensor by tensor is not quite what runs otherwise.
Where the untouched run gives other bits, fewer tensors are shown, until a run gives the untouched one's bits.
"""

from .judge import judged
from .open import RUNTIMES, Settings, check_name, open_runtime
from .picture import picture
from .subject import Subject, of_file, of_network

__all__ = ["RUNTIMES", "Settings", "Subject", "check_name", "judged", "of_file", "of_network", "open_runtime", "picture"]
