"""Window geometry in integers: output extents and the two public padding rules.

    span   = (K - 1) * dilation + 1                    pixels that a kernel covers
    extent = (size + before + after - span) // S + 1   windows that fit           (1)

Imports nothing, so that every other part can use it; the oracle counts its own
windows, else one wrong formula would be agreed on by all three texts.
"""


def span(kernel, dilation=1):
    """Pixels from the first to the last tap of a dilated kernel, both counted."""
    return (kernel - 1) * dilation + 1


def extent(size, kernel, stride=1, before=0, after=0, dilation=1):
    """Equation (1); zero or negative where the padded size is smaller than the span."""
    return (size + before + after - span(kernel, dilation)) // stride + 1


def same_pad(size, kernel, stride=1, dilation=1):
    """TensorFlow's SAME: (before, after) so that ceil(size / S) windows fit.

    The odd pixel goes after.  At stride 2 and an even size this samples another
    grid than `symmetric_pad`: k = 3 pads (0, 1), k = 5 (1, 2), k = 7 (2, 3).

    >>> same_pad(224, 3, 2), same_pad(225, 3, 2)
    ((0, 1), (1, 1))
    """
    windows = -(-size // stride)
    total = max((windows - 1) * stride + span(kernel, dilation) - size, 0)
    return total // 2, total - total // 2


def symmetric_pad(kernel, dilation=1):
    """PyTorch's usual padding: span // 2 on both sides, whatever the size.

    >>> symmetric_pad(5)
    (2, 2)
    """
    half = span(kernel, dilation) // 2
    return half, half


def pooled(size, kernel, stride=1, before=0, after=0, ceil=False):
    """Windows of a pool: equation (1), with `ceil` rounded up; none may start below the image.

    >>> pooled(6, 3, 2), pooled(6, 3, 2, ceil=True), pooled(5, 2, 4, 1, 1, ceil=True)
    (2, 3, 2)
    """
    if not ceil:
        return extent(size, kernel, stride, before, after)
    count = -(-(size + before + after - kernel) // stride) + 1
    return count - 1 if (count - 1) * stride >= size + before else count


def bins(size, count):
    """(first, behind the last) pixel of each of `count` bins: floor(i size / count) .. ceil((i + 1) size / count).

    >>> bins(7, 3), bins(1, 2)
    ([(0, 3), (2, 5), (4, 7)], [(0, 1), (0, 1)])
    """
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
