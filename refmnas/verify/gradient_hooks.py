"""A PyTorch module's tensors and gradients by hooks: what `refmnas verify gradients` reads."""

from __future__ import annotations

from ..errors import DataError
from .adjoint import MARK
from .hooks import array


def capture_gradients(module, x, *, dlogits=None, loss=None):
    """What `capture` returns, and every gradient of one backward pass under `<name>.grad`.

    x         a torch.Tensor of images
    dlogits   the gradient of the module's result; or
    loss      a function of the result that gives a scalar

    A tensor's hook is set before an activation changes it in place, and gets the gradient of what it was.  A module that
    runs several times is left out.  The module's mode is the caller's; its `.grad` and buffers are left as they were.

    Raises   DataError for an x that is no tensor, for both or neither of dlogits and loss, and where dropout is active,
             whose mask would not be captured: set those modules to eval().
    """
    import torch

    if not isinstance(x, torch.Tensor):
        raise DataError(f"capture_gradients: x is {type(x).__name__}, wanted a torch.Tensor")
    if (dlogits is None) == (loss is None):
        raise DataError("capture_gradients: wanted one of dlogits and loss")
    _refuse_dropout(module)
    kept, back, runs, handles = {}, {}, {}, []

    def keep(name, tensor):
        kept[name] = array(tensor)
        if tensor.requires_grad:
            tensor.register_hook(lambda gradient: back.__setitem__(name, array(gradient)))

    def hook(name):
        def of(_module, _inputs, result):
            runs[name] = runs.get(name, 0) + 1
            if isinstance(result, torch.Tensor) and runs[name] == 1:
                keep(name, result)

        return of

    before = {name: p.grad for name, p in module.named_parameters()}
    buffers = {name: b.clone() for name, b in module.named_buffers()}
    fed = x.detach().clone().requires_grad_()
    try:
        for p in module.parameters():
            p.grad = None
        handles += [each.register_forward_hook(hook(name)) for name, each in module.named_modules() if name]
        with torch.enable_grad():
            result = module(fed.clone())
            keep("output", result)
            result.backward(dlogits) if loss is None else loss(result).backward()
        back |= {name: array(p.grad) for name, p in module.named_parameters() if p.grad is not None}
    finally:
        for handle in handles:
            handle.remove()
        for name, p in module.named_parameters():
            p.grad = before[name]
        for name, b in module.named_buffers():
            b.copy_(buffers[name])
    once = {name for name in kept if runs.get(name, 1) == 1}
    found = {"input": array(x)} | {name: a for name, a in kept.items() if name in once}
    found |= {name + MARK: a for name, a in back.items() if runs.get(name, 1) == 1}
    return found | ({"input" + MARK: array(fed.grad)} if fed.grad is not None else {})


def _refuse_dropout(module):
    for name, each in module.named_modules():
        rate = next((getattr(each, key) for key in ("p", "drop_prob") if isinstance(getattr(each, key, None), float)), 0.0)
        if each.training and rate > 0 and "Drop" in type(each).__name__ + "Drop" * ("Stochastic" in type(each).__name__):
            raise DataError(f"capture_gradients: {name} is active, wanted it in eval(): its mask would not be captured")
