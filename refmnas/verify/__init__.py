"""Is an implementation right, and if not, where and why.

    op(function, fn)    your own kernel over our cases: the first failure shrunk to its smallest case
"""

from .callables import op

__all__ = ["op"]
