"""Masks of people, ``name!user@host`` with ``*`` and ``?``: how they are written, and whom they mean.

Pure. Knows IRC's way of writing them. Must not know what a mask is for, nor who is here.
"""

from __future__ import annotations

import fnmatch
import re
import string
from functools import lru_cache

__all__ = ["MAX_MASK_BYTES", "fold", "matches", "whole_mask"]

MAX_MASK_BYTES = 120
"""Longest mask, in bytes of UTF-8. Source: a name of 24 characters has up to 96, a user 11, a host 13."""

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_KEPT = 4096
"""Most masks that are kept compiled. Source: 40 rooms with as many as a room may have; 2 kB each."""


def fold(text: str) -> str:
    """The text with its ASCII letters in lower case. Source: ``CASEMAPPING=ascii`` (Modern IRC)."""
    return text.translate(_ASCII_LOWER)


def whole_mask(raw: str) -> str:
    """The mask with its three parts, where some were left out: ``bob`` means ``bob!*@*``, ``~b@c`` ``*!~b@c``.

    Returns:
        The mask; "" if the text is none: it is empty or too long, begins with a colon, has a blank or a control
        character in it.
    """
    if (
        not raw
        or raw[0] == ":"
        or len(raw.encode("utf-8", "replace")) > MAX_MASK_BYTES
        or not raw.isprintable()
        or " " in raw
    ):
        return ""
    name, bang, rest = raw.partition("!")
    if not bang and "@" in raw:
        name, rest = "*", raw
    user, _, host = rest.partition("@")
    return f"{name or '*'}!{user or '*'}@{host or '*'}"


def matches(mask: str, source: str) -> bool:
    """Whether a mask means this person.

    Args:
        mask: ``*`` stands for any text, ``?`` for one character; ASCII letters count in any case.
        source: ``name!user@host``.

    Returns:
        The answer, in time that grows with the length of the source and of the mask, whatever stands in them.
    """
    return _compiled(mask).match(fold(source)) is not None


@lru_cache(maxsize=_KEPT)
def _compiled(mask: str) -> re.Pattern[str]:
    # fnmatch gives up nothing once a piece between two "*" is found, so no mask takes for ever; "[" is no set here.
    return re.compile(fnmatch.translate(fold(mask).replace("[", "[[]")))
