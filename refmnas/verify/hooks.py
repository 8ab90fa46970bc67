"""A PyTorch module's tensors by hooks: what `refmnas verify captured` reads.

tensors = capture(model, x)
refmnas.io.save("run.npz", tensors)
"""

from __future__ import annotations

from ..errors import DataError


def capture(module, x):
    """{module name: its result}, with `input` and `output`, of one run of a PyTorch module without gradients.

    Every result is cloned in its hook, so that an activation that works in place changes nothing of what was
    captured before it.  A module that runs several times is left out, and so is one whose result is no tensor:
    what lies around it still tells.  The module's mode (train or eval) is the caller's and is left as it is.

    Shapes   as the module has them; x is a torch.Tensor, which is cloned too.
    Dtypes   bfloat16 is widened to float32, exactly; every other type stays.
    Raises   DataError where x is no torch.Tensor.
    """
    import torch

    if not isinstance(x, torch.Tensor):
        raise DataError(f"capture: x is {type(x).__name__}, wanted a torch.Tensor")
    kept, runs, handles = {}, {}, []

    def hook(name):
        def keep(_module, _inputs, result):
            runs[name] = runs.get(name, 0) + 1
            if isinstance(result, torch.Tensor):
                kept[name] = array(result)

        return keep

    fed = array(x)
    try:
        for name, each in module.named_modules():
            if name:
                handles.append(each.register_forward_hook(hook(name)))
        with torch.no_grad():
            result = module(x.clone())
    finally:
        for handle in handles:
            handle.remove()
    found = {name: a for name, a in kept.items() if runs[name] == 1}
    if isinstance(result, torch.Tensor):
        found["output"] = array(result)
    return {"input": fed} | found


def array(tensor):
    """A NumPy array of its own, in plain order of axes."""
    import torch

    tensor = tensor.detach().to("cpu", copy=True).contiguous()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy().copy()
