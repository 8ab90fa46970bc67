"""An interpreter for the pickles of weights that builds plain data and nothing else.

The pickle module would import and call what the file names.  Here a name is
looked up in one table, `CALLS`, and what is called is a function of this file:
no code of the file's choosing runs, whatever the file says.  The result is made
of dict, list, tuple, str, bytes, numbers, `Storage` and `Tensor` records.

Memory is bounded by an account: each object is charged about its size, and a
pickle that spends more than its budget is refused.

Source: the opcodes of Python's `pickletools`, protocols 0 to 5 as far as
`torch.save` writes them (2 by default).
"""

from __future__ import annotations

import struct
import sys
from typing import Any

from ._records import CALLS, VALUES, Call, Ordered, plain

MOST_STACK = 1 << 17  # pickle writes batches of 1000
MOST_MEMO_GAP = 64
LONGEST_LINE = 256
LONGEST_INTEGER = 64  # bytes
_MARK = object()
_UNSET = object()

# opcode -> the count of tuple elements it takes
_TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
_CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False, b")": ()}
_NUMBERS = {b"K": "<B", b"M": "<H", b"J": "<i", b"G": ">d"}
# opcode -> (format of the length, whether it is text)
_TEXTS = {b"X": ("<I", True), b"\x8c": ("<B", True), b"\x8d": ("<Q", True), b"U": ("<B", True), b"T": ("<i", True),
          b"B": ("<I", False), b"C": ("<B", False), b"\x8e": ("<Q", False)}  # fmt: skip
_GETS = {b"h": "<B", b"j": "<I"}
_PUTS = {b"q": "<B", b"r": "<I"}
_LONGS = {b"\x8a": "<B", b"\x8b": "<i"}


class Machine:
    """Runs pickles that stand one after the other in `data`, from `at`.

    bad          makes the error that names the file
    budget       bytes that objects may take, over all runs
    persistent   called with the tuple of a persistent id
    """

    def __init__(self, data, bad, budget, persistent, *, at=0):
        self.data, self.at, self._bad, self.persistent = data, at, bad, persistent
        self.budget, self.spent = budget, 0
        self.stack: list[Any] = []
        self.memo: list[Any] = []

    def run(self):
        """The next pickle's object."""
        self.stack, self.memo = [], []
        while (code := self.take(1)) != b".":
            step = _STEPS.get(code)
            if step is None:
                raise self.bad(f"opcode {code!r} is not one of those that weights need")
            step(self, code)
            if len(self.stack) > MOST_STACK:
                raise self.bad(f"the stack exceeds {MOST_STACK} objects")
        return self._result()

    # -- bytes, stack, account ------------------------------------------------

    def bad(self, text):
        return self._bad(f"the pickle, byte {self.at}: {text}")

    def spend(self, size):
        self.spent += size
        if self.spent > self.budget:
            raise self.bad(f"builds objects of more than {self.budget} bytes; raise max_header=")

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise self.bad(f"wants {count} more bytes, {len(self.data) - self.at} are left")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self):
        end = self.data.find(b"\n", self.at, self.at + LONGEST_LINE)
        if end < 0:
            raise self.bad(f"a name without an end within {LONGEST_LINE} bytes")
        text = self.data[self.at : end].decode("latin-1")
        self.at = end + 1
        return text

    def push(self, value, size=0):
        self.spend(size)
        self.stack.append(value)

    def pop(self, *kinds):
        """The topmost object; FormatError where it is none of `kinds` (any, if none are given)."""
        if not self.stack or self.stack[-1] is _MARK:
            raise self.bad("takes an object from an empty stack")
        value = self.stack.pop()
        if kinds and type(value) not in kinds:
            raise self.bad(f"came upon {plain(value)}, wanted {' or '.join(kind.__name__ for kind in kinds)}")
        return value

    def top(self, *kinds):
        value = self.pop(*kinds)
        self.stack.append(value)
        return value

    def pop_mark(self):
        """The objects above the topmost mark."""
        at = len(self.stack) - 1
        while at >= 0 and self.stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise self.bad("takes objects above a mark, and there is none")
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values

    def _result(self):
        value = self.pop()
        if self.stack:
            raise self.bad(f"ends with {len(self.stack)} objects left over")
        return value

    # -- opcodes ----------------------------------------------------------------

    def proto(self, _):
        if (version := self.number("<B")) > 5:
            raise self.bad(f"protocol {version}, wanted at most 5")

    def frame(self, _):
        self.number("<Q")

    def mark(self, _):
        self.stack.append(_MARK)

    def constant(self, code):
        self.push(_CONSTANTS[code])

    def integer(self, code):
        self.push(self.number(_NUMBERS[code]), 32)

    def long(self, code):
        count = self.number(_LONGS[code])
        if count > LONGEST_INTEGER:
            raise self.bad(f"an integer of {count} bytes, wanted at most {LONGEST_INTEGER}")
        self.push(int.from_bytes(self.take(count), "little", signed=True), 32 + LONGEST_INTEGER)

    def text(self, code):
        form, is_text = _TEXTS[code]
        count = self.number(form)
        if not 0 <= count <= len(self.data) - self.at:
            raise self.bad(f"a text of {count} bytes, {len(self.data) - self.at} are left")
        self.spend(count)
        raw = self.take(count)
        try:
            text = raw.decode("utf-8") if is_text else raw
        except UnicodeDecodeError:
            raise self.bad("a text that is no valid UTF-8") from None
        self.push(text, sys.getsizeof(text))

    def empty_list(self, _):
        self.push([], 64)

    def empty_dict(self, _):
        self.push({}, 72)

    def tuple(self, _):
        self._tuple(self.pop_mark())

    def short_tuple(self, code):
        self._tuple([self.pop() for _ in range(_TUPLES[code])][::-1])

    def _tuple(self, values):
        self.push(tuple(values), 64 + 8 * len(values))

    def append(self, _):
        value = self.pop()
        self._extend([value])

    def appends(self, _):
        self._extend(self.pop_mark())

    def _extend(self, values):
        self.spend(10 * len(values))
        self.top(list).extend(values)

    def setitem(self, _):
        value = self.pop()
        self._update([self.pop(), value])

    def setitems(self, _):
        self._update(self.pop_mark())

    def _update(self, pairs):
        """Keys are plain: a nested tuple's hash would recurse without a bound."""
        if len(pairs) % 2:
            raise self.bad("sets a key without a value")
        self.spend(110 * (len(pairs) // 2))
        target = self.top(dict, Ordered)
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if type(key) not in (str, int, float, bool, bytes):
                raise self.bad(f"a key is {plain(key)}, wanted a text or a number")
            target[key] = value

    def put(self, code):
        self._remember(self.number(_PUTS[code]))

    def memoize(self, _):
        self._remember(len(self.memo))

    def _remember(self, at):
        gap = at - len(self.memo) + 1
        if gap > MOST_MEMO_GAP:
            raise self.bad(f"remembers as number {at}, {len(self.memo)} are known")
        if gap > 0:
            self.spend(10 * gap)
            self.memo.extend([_UNSET] * gap)
        self.memo[at] = self.top()

    def get(self, code):
        at = self.number(_GETS[code])
        if at >= len(self.memo) or self.memo[at] is _UNSET:
            raise self.bad(f"recalls number {at}, which was never remembered")
        self.push(self.memo[at])

    def drop(self, _):
        self.pop()

    def drop_mark(self, _):
        self.pop_mark()

    def double(self, _):
        self.push(self.top())

    def name(self, _):
        module = self.line()
        self._name(module, self.line())

    def stack_name(self, _):
        name = self.pop(str)
        self._name(self.pop(str), name)

    def _name(self, module, name):
        full = f"{module}.{name}"
        if full in VALUES:
            self.push(VALUES[full])
        elif full in CALLS:
            self.push(CALLS[full])
        elif full.startswith("__torch__"):
            raise self.bad("this is a TorchScript archive, wanted a state dictionary: save model.state_dict()")
        else:
            raise self.bad(f"asks for {full[:120]!r}, which is not in the table of what weights need; "
                           "a whole module or its arguments were saved? save model.state_dict() alone")  # fmt: skip

    def reduce(self, _):
        arguments = self.pop(tuple)
        call = self.pop(Call)
        result = call(self, arguments)
        self.push(result, sys.getsizeof(result))

    def build(self, _):
        state = self.pop(dict, Ordered)
        self.top(Ordered).attributes = state

    def persist(self, _):
        self.push(self.persistent(self, self.pop(tuple)))


_STEPS = {
    b"\x80": Machine.proto, b"\x95": Machine.frame, b"(": Machine.mark, b"t": Machine.tuple,
    b"]": Machine.empty_list, b"}": Machine.empty_dict, b"a": Machine.append, b"e": Machine.appends,
    b"s": Machine.setitem, b"u": Machine.setitems, b"\x94": Machine.memoize, b"0": Machine.drop,
    b"1": Machine.drop_mark, b"2": Machine.double, b"c": Machine.name, b"\x93": Machine.stack_name,
    b"R": Machine.reduce, b"b": Machine.build, b"Q": Machine.persist,
    **dict.fromkeys(_CONSTANTS, Machine.constant), **dict.fromkeys(_NUMBERS, Machine.integer),
    **dict.fromkeys(_LONGS, Machine.long), **dict.fromkeys(_TEXTS, Machine.text),
    **dict.fromkeys(_TUPLES, Machine.short_tuple), **dict.fromkeys(_GETS, Machine.get),
    **dict.fromkeys(_PUTS, Machine.put),
}  # fmt: skip
