"""Masks whatever a platform's message may hold that is not the platform's own words.

An error message is a template filled with what somebody typed. Promise: nothing passes but listed
words, listed names and punctuation; the rest becomes one "…" for each stretch of it.
"""

import re
from collections.abc import Iterable

MASK = "…"
_PUNCTUATION = frozenset(".,:;!?()\"'=%-/")
_MASKS = re.compile(rf"{MASK}(?:[\s\W]*{MASK})+")
_PIECE = r"[^\W\d_][\w']*|\w+|\S"


class Masking:
    """Lets the words of one platform pass.

    `words` are compared in lower case and `names` (of fields, rights, codes) exactly; what matches
    `kept_whole`, a regular expression, is kept as it is.
    """

    def __init__(
        self, words: Iterable[str], names: Iterable[str] = (), *, kept_whole: str = r"(?!)"
    ) -> None:
        self._words = frozenset(words)
        self._names = frozenset(names)
        self._kept_whole = re.compile(kept_whole)
        self._piece = re.compile(rf"{kept_whole}|{_PIECE}")

    def __call__(self, text: str) -> str:
        """Return `text` with every word masked that is not known; `merged` tidies the whole."""
        return self._piece.sub(lambda found: self._word(found[0]), text)

    def _word(self, word: str) -> str:
        known = word.lower() in self._words or word in self._names
        if known or word in _PUNCTUATION or self._kept_whole.fullmatch(word):
            return word
        return MASK


def merged(text: str) -> str:
    """Return `text` with masks that stand together made into one."""
    return _MASKS.sub(MASK, text).strip()
