"""Masks of IRC: ``nick!user@host`` with ``*`` for any run of characters and ``?`` for one.

Knows text. Must not know whom a mask is for.
"""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache

__all__ = ["complete", "matches"]

_REMEMBERED = 1024
"""Most masks whose patterns are kept, each about 1 kB. Source: a room has at most 300, made in 30 ms."""


def matches(mask: str, text: str) -> bool:
    """Whether a mask is true of a text, such as ``bob!~bob@94hw0v2mqe.ip``.

    Of letters only those of ASCII are the same in both cases. The time is linear in the text for each ``*``, whatever
    the mask: what has been found behind one ``*`` is not looked for again.
    """
    return _pattern(mask).match(text) is not None


@lru_cache(maxsize=_REMEMBERED)
def _pattern(mask: str) -> re.Pattern[str]:
    # A bracket is a letter of a nick, no set of characters.
    return re.compile(fnmatch.translate(mask.replace("[", "[[]")), re.ASCII | re.IGNORECASE)


def complete(mask: str) -> str:
    """The mask with all its three parts: ``bob`` is ``bob!*@*``, ``*.ip`` with an ``@`` before it ``*!*@*.ip``."""
    head, at, host = mask.rpartition("@")
    if not at:
        head, host = mask, "*"
    nick, bang, user = head.partition("!")
    if not bang and at:
        nick, user = "*", head
    return f"{nick or '*'}!{user or '*'}@{host or '*'}"
