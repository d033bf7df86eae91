"""Text as people meant it: without control characters and stray white space, emoji kept.

Its promise: cleaning twice is cleaning once, and never makes a text longer.
"""

import re
import unicodedata

_INVISIBLE = re.compile("[\ufeff\u200b]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_BUT_LAYOUT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"\s+")


def clean_line(text: str) -> str:
    """Return `text` as one line, its white space collapsed and its characters composed."""
    # Of all white space and all that is invisible, only the space is printable.
    if text.isprintable() and "  " not in text:
        return _composed(text.strip())
    spaced = _CONTROL.sub("", _SPACE.sub(" ", text))
    return _composed(_SPACE.sub(" ", _INVISIBLE.sub("", spaced)).strip())


def clean_text(text: str) -> str:
    """Return `text` without control characters, its lines and indents kept."""
    if text.isascii() and text.isprintable():
        return text.strip()
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _composed(_CONTROL_BUT_LAYOUT.sub("", _INVISIBLE.sub("", lines)).strip())


def fold(text: str) -> str:
    """Return what two spellings of a name share: no case, no accents, no dotless i."""
    clean = clean_line(text)
    if clean.isascii():
        return clean.lower()
    bare = unicodedata.normalize("NFKD", clean.casefold())
    return "".join([c for c in bare if not unicodedata.combining(c)]).replace("\u0131", "i")


def ascii_form(text: str) -> str:
    """Return `text` with full-width and foreign digits, letters and dashes made plain."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text)
    return "".join(_plain(c) for c in plain)


def _plain(character: str) -> str:
    if unicodedata.category(character) == "Pd":
        return "-"
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _composed(text: str) -> str:
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    return composed if len(composed) <= len(text) else text
