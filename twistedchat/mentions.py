"""Whether a text mentions a name: the one rule for bells and highlighting, for the server and the client.

Pure: knows how names are written. Must not know who bears one, nor what is done about a mention.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import category, is_normalized, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_GAPS", "first_word", "mentions", "stands_alone", "words"]

_LINKS = frozenset("-.[]{}\\|^`")
"""Punctuation that a name may hold. Between two letters it joins them to one word; elsewhere it ends a word.

Source: docs/protocol.md, "Names and rooms". The underscore counts as a letter, so that ``al_`` is not ``al``.
"""

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Invisible characters inside a word. Source: RFC 5892, appendix A."""

_ASCII_WORDS = re.compile(r"\w+", re.ASCII)
"""Words of a text that is all ASCII: letters, digits and the underscore, as `_in_word` has it."""


def mentions(name: str, text: str) -> bool:
    """Whether a text says a name as a whole word, in any case.

    ``al`` is in ``Al: hi``, ``ask al.``, ``(al)`` and ``al's``, but not in ``also``, ``al-ice`` or
    ``al.example``. In scripts that put no space between words a name counts where a space or
    punctuation stands on both sides of it.

    Args:
        name: A name as `names.clean_name` gives it; "" is mentioned nowhere.
        text: Any text. A text of ASCII that does not hold the name costs about a microsecond.
    """
    return next(_places(_fold(name), _fold(text)), None) is not None


def _places(name: str, text: str) -> Iterator[int]:
    """The places at which a text says a name as a whole word, in this spelling."""
    place = text.find(name) if name else -1
    while place >= 0:
        if stands_alone(text, place, place + len(name)):
            yield place
        place = text.find(name, place + 1)


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether the text between two places is not a part of a longer word."""
    return not _goes_on(text[max(0, start - 2) : start][::-1]) and not _goes_on(text[end : end + 2])


def _goes_on(beside: str) -> bool:
    """Whether a word goes on with these characters, the nearest first."""
    return _in_word(beside[:1]) or (beside[:1] in _LINKS and _in_word(beside[1:2]))


def _in_word(character: str) -> bool:
    """Whether a character ("" for none) is a part of a word wherever it stands."""
    if not character:
        return False
    return character.isalnum() or character == "_" or character in _JOINERS or category(character)[0] == "M"


def _fold(text: str) -> str:
    """The text without case, composed as names are."""
    if text.isascii():
        return text.lower()
    if not is_normalized("NFKC", text):
        text = normalize("NFKC", text)
    return text.casefold()


# -- many names at once --------------------------------------------------------------------------


MAX_GAPS = 4096
"""Most characters that are remembered as standing in words or between them; all of Unicode would take 74 MiB.

Source: more than the people of a server write in, but for Chinese and Korean, where it costs a microsecond each.
"""


class _Gaps(dict[int, int]):
    """For `str.translate`: makes a space of each character that is in no word. A cache, of at most `MAX_GAPS`."""

    def __missing__(self, code: int) -> int:
        if len(self) >= MAX_GAPS:
            self.clear()
        found = self[code] = code if _in_word(chr(code)) else ord(" ")
        return found


_GAPS = _Gaps()


def words(text: str) -> frozenset[str]:
    """The words of a text, without case: what stands between spaces and punctuation.

    Whoever looks for many names cuts the text once: a text mentions a name only if ``first_word(name)``
    is one of its words; `mentions` then decides.
    """
    return frozenset(_words(text))


def first_word(name: str) -> str:
    """The word of `words` without which a text can't mention this name."""
    return next(iter(_words(name)), "")


def _words(text: str) -> list[str]:
    folded = _fold(text)
    return _ASCII_WORDS.findall(folded) if folded.isascii() else folded.translate(_GAPS).split()
