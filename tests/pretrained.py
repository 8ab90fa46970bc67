"""NASNet-A of the package pretrainedmodels, from its one file: the rest of it wants more packages than it says."""

import importlib.metadata
import importlib.util

import pytest

FILES = {"nasnet-a-mobile": ("nasnet_mobile", "NASNetAMobile"), "nasnet-a-large": ("nasnet", "NASNetALarge")}


def theirs(name, classes=1000):
    """The network in float64, of any image size."""
    try:
        package = importlib.metadata.distribution("pretrainedmodels")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("pretrainedmodels is not installed: pip install --no-deps pretrainedmodels==0.7.4")
    file, kind = FILES[name]
    spec = importlib.util.spec_from_file_location(file, package.locate_file(f"pretrainedmodels/models/{file}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = getattr(module, kind)(num_classes=classes)
    torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
    model.avg_pool = torch.nn.AdaptiveAvgPool2d(1)  # theirs is written for one size: the same mean there
    return prepared(model)


def prepared(model):
    """A network of torch with something to fold, in float64, without dropout."""
    torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(module, torch.nn.BatchNorm2d):  # gammas of 1 and betas of 0 would hide an exchange
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
    return model.double()
