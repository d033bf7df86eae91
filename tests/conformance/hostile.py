"""Texts and values that shoppers, and broken shops, really send."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

TEXTS: Final[Mapping[str, str]] = {
    "blank": "   ",
    "control": "Ann\u0007\u001b[31mLang\u007f",
    "nul": "Ann\u0000Lang",
    "newlines": "Ann\r\nBcc: all@example.com",
    "right_to_left": "\u202eannA \u05d0\u05d1\u05d2 \u0639\u0631\u0628\u064a",
    "emoji": "Ann 👩\u200d👩\u200d👧\u200d👦 🇩🇪",
    "four_bytes": "𠜎𠜱𝒜𝓃𝓃",
    "combining": "A\u030a\u0323nn Z\u0351\u0352\u0353algo",
    "zero_width": "Ann\u200b\ufeff\u2060Lang",
    "html": "<script>alert('Ann')</script>&amp;",
    "sql": "Ann'); DROP TABLE customers;--",
    "formula": '=HYPERLINK("http://example.com";"Ann")',
    "template": "{{ Ann }} ${jndi:ldap://example.com} %s %n",
    "path": "../../etc/passwd",
    "quotes": "\"Ann\" 'Lang' \\ `x`",
    "long": "Ä" * 255,
    "too_long": "Overlong" * 1200,
}

NUMBERS: Final[Mapping[str, str]] = {
    "zeros": "000420",
    "exponent": "1e5",
    "quoted": "D'1\"0",
    "formula": "=1+1",
    "unicode": "KД-10Ω",
    "html": "<b>1</b>",
    "blanks_within": "D 1 0",
}

VALUES: Final[Sequence[Any]] = (
    None,
    "",
    "\u0000 Vogelscheuche",
    "Vogelscheuche" * 1000,
    -1,
    10**30,
    0.5,
    True,
    [],
    ["Vogelscheuche"],
    {},
    {"x": ["Vogelscheuche"]},
)
MARK: Final = "Vogelscheuche"
"""Stands in every hostile value that is a text."""

Path = tuple[str | int, ...]


def spoiled(payload: Any) -> Iterator[tuple[Path, Any]]:
    """Yield copies of a payload with one value, at any depth, replaced by each hostile one."""
    for path in _paths(payload):
        for value in VALUES:
            yield path, _replaced(payload, path, value)


def _paths(node: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _paths(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node[:1]):
            yield from _paths(value, (*path, place))


def _replaced(node: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(node, Mapping):
        return {**node, first: _replaced(node[str(first)], tuple(rest), value)}
    copy = list(node)
    copy[int(first)] = _replaced(node[int(first)], tuple(rest), value)
    return copy
