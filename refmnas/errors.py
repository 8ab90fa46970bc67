"""The named errors: each says the op, the argument, what came and what was wanted.

All derive from RefmnasError, and from the built-in exception that a caller who
does not know this package would expect.
"""


class RefmnasError(Exception):
    """Anything that refmnas refuses."""


class ShapeError(RefmnasError, ValueError):
    """An array's rank or extents do not fit the others, or the options."""


class DtypeError(RefmnasError, TypeError):
    """Not an array, or an array of an element type that the op does not take."""


class DataError(RefmnasError, ValueError):
    """Values that no result exists for: a negative variance, a label out of range."""


class SpecError(RefmnasError, ValueError):
    """An option, a network's table or a name that cannot be: stride 0, an unknown block."""


class FormatError(RefmnasError, ValueError):
    """A file or a set of weights that is cut, hostile, of another format or network."""


class KernelError(RefmnasError, RuntimeError):
    """A backend or an instruction set was demanded that is not there."""


class PeerError(RefmnasError, RuntimeError):
    """Another runtime is absent, broken, or refuses the network that it was given."""
