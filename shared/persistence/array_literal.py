r"""A PostgreSQL array as text, written by a JSON encoder in C.

For set-based statements, which send thousands of values at once: the driver's own way builds every
array element by element in Python, which was a tenth of a processor's work.

A JSON array and PostgreSQL's array literal differ in their brackets and in their escapes. Both
write `\"` and `\\`; the others, of control characters, are undone here.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import orjson

from shared.persistence.failures import ValueRefused

_OTHER_ESCAPE: Final = re.compile(rb'\\[^"\\]')
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-f]{4})|(.))")
_CONTROL: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def array_literal(values: Sequence[Any]) -> str:
    """Return `values` as PostgreSQL's text of an array: texts, ids, moments, integers, booleans.

    None becomes NULL. Raises ValueRefused for a value that has no word there: text that is no
    Unicode, a number of more than eight bytes.
    """
    is_same = bool(values) and values[0] is values[-1] and values.count(values[0]) == len(values)
    try:
        # Such as the moment of a batch, which all its rows were written at.
        written = _repeated(values[0], len(values)) if is_same else orjson.dumps(values)
    except orjson.JSONEncodeError as error:
        # It names the type or the limit, never the value.
        raise ValueRefused(str(error)) from None
    # Nearly nothing has any escapes, which is found out faster than which ones it has.
    if b"\\" in written and _OTHER_ESCAPE.search(written):
        written = _ESCAPE.sub(_as_in_arrays, written)
    return f"{{{written[1:-1].decode()}}}"


def _repeated(value: Any, times: int) -> bytes:
    return b"[%b]" % b",".join([orjson.dumps(value)] * times)


def _as_in_arrays(escape: re.Match[bytes]) -> bytes:
    code, letter = escape.groups()
    if code is not None:
        return chr(int(code, 16)).encode()
    return _CONTROL.get(letter, escape.group())
