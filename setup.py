"""The C extension, and an honest wheel where it was not built.

    REFMNAS_NO_C=1        leave the extension out
    REFMNAS_REQUIRE_C=1   a missing extension is an error
    REFMNAS_CFLAGS=...    flags added for the compiler and the linker (csrc/build_ext.py)

Without a compiler the package still installs, on NumPy alone: then the wheel is
tagged py3-none-any, since pip caches wheels by their tag and would hand the
NumPy-only one to a machine that has a compiler by then.
"""

import os
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

REQUIRED = bool(os.environ.get("REFMNAS_REQUIRE_C"))
LEFT_OUT = bool(os.environ.get("REFMNAS_NO_C"))
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

if REQUIRED and LEFT_OUT:
    sys.exit("refmnas: REFMNAS_REQUIRE_C and REFMNAS_NO_C exclude each other")


class OptionalExtension(build_ext):
    """Compiles the sources side by side; a failure leaves the extension out."""

    def run(self):
        try:
            super().run()
        except Exception as error:
            self._leave_out(error)

    def build_extension(self, ext):
        try:
            ext.include_dirs.append(self._tiles())
            super().build_extension(ext)
        except Exception as error:
            self._leave_out(error)

    def _tiles(self):
        """The folder of the engine's tiles, written now: csrc/tiles.py."""
        spec = spec_from_file_location("tiles", Path(__file__).parent / "csrc" / "tiles.py")
        tiles = module_from_spec(spec)
        spec.loader.exec_module(tiles)
        folder = Path(self.build_temp) / "tiles"
        tiles.write(folder)
        return str(folder)

    def build_extensions(self):
        self.compiler.compile = _side_by_side(self.compiler.compile)
        super().build_extensions()

    def get_outputs(self):
        return [path for path in super().get_outputs() if Path(path).exists()]

    def _leave_out(self, error):
        if REQUIRED:
            raise error
        print(f"*** refmnas: C extension NOT built ({error}); NumPy runs instead ***", file=sys.stderr)


def _side_by_side(compile_all):
    """A compiler's `compile`, one source per thread: setuptools goes one by one.

    What only tests run is compiled in a third of the time, and runs half as fast again; sanitizers
    would take too much of that.
    """
    level = "-O1" if os.environ.get("REFMNAS_CFLAGS") else "-O0"

    def one(source, args, options):
        if source.endswith("_wide16.c"):
            options = options | {"extra_postargs": [*(options.get("extra_postargs") or []), level]}
        return compile_all([source], *args, **options)

    def compile(sources, *args, **options):
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return [name for part in pool.map(lambda s: one(s, args, options), sources) for name in part]

    return compile


class HonestWheel(bdist_wheel):
    """Tagged as a binary wheel only where a shared object was built."""

    def run(self):
        if not LEFT_OUT:
            self.run_command("build_ext")
        self.is_binary = any(Path(p).exists() for p in self._extension_files())
        if not self.is_binary:
            self.root_is_pure = True
            self.py_limited_api = False
            self.distribution.ext_modules = []
        super().run()

    def _extension_files(self):
        return self.get_finalized_command("build_ext").get_outputs()

    def get_tag(self):
        return super().get_tag() if getattr(self, "is_binary", True) else ("py3", "none", "any")


options = {} if FREE_THREADED or LEFT_OUT else {"bdist_wheel": {"py_limited_api": "cp311"}}
modules = {} if LEFT_OUT else {"cffi_modules": ["csrc/build_ext.py:ffibuilder"]}

setup(
    packages=[*find_packages(include=["refmnas", "refmnas.*"]), "refmnas.csrc"],
    package_dir={"refmnas.csrc": "csrc"},
    include_package_data=True,
    cmdclass={"build_ext": OptionalExtension, "bdist_wheel": HonestWheel},
    options=options,
    **modules,
)
