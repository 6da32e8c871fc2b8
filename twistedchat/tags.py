"""Tags of a line: what goes with it for programs, as IRC writes it, and as JSON does.

Knows their form (IRCv3, message-tags). Must not know what a tag means, nor who sends it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_TAG_BYTES", "checked_tags", "join_tags", "split_tags"]

MAX_TAG_BYTES = 4094
"""Longest tags of a client's line, in bytes, without the ``@`` and the space. Source: IRCv3, message-tags, "Size
limit"."""

_KEY = re.compile(r"\+(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")
"""Key of a tag that a client sends to others. Source: IRCv3, message-tags, "Format"."""

_ESCAPES = {":": ";", "s": " ", "r": "\r", "n": "\n"}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
"""Backslash in a tag's value and what it escapes: any other character stands for itself. Source: IRCv3, message-tags,
"Escaping values"."""

_ESCAPED = str.maketrans({";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"})


def split_tags(text: str) -> dict[str, str]:
    """Tags by their keys, unescaped; of several with one key the last one counts.

    Args:
        text: As they stand in a line of IRC, without the ``@``.
    """
    tags = {}
    for tag in text.split(";"):
        key, _, value = tag.partition("=")
        if key:
            tags[key] = value if "\\" not in value else _ESCAPE.sub(_unescape, value)
    return tags


def _unescape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[1])


def join_tags(tags: Mapping[str, str]) -> str:
    """Tags as they stand in a line, without the ``@``: ``+x=1;+draft/reply=abc``. "" if there are none."""
    return ";".join(f"{key}={value.translate(_ESCAPED)}" if value else key for key, value in tags.items())


def checked_tags(value: object) -> str:
    """The same, of an object that a program has sent.

    Raises:
        ChatError: ``bad-tags``.
    """
    if not isinstance(value, dict):
        raise ChatError("bad-tags", 'Give "tags" as an object: {"+key":"value"}.')
    for key, text in value.items():
        if not isinstance(text, str) or "\0" in text or not _KEY.fullmatch(key):
            raise ChatError("bad-tags", "The key of a tag is + and a word, as in +draft/reply, and its value a string.")
    tags = join_tags(value)
    if len(tags.encode()) > MAX_TAG_BYTES:
        raise ChatError("bad-tags", f"Tags have at most {MAX_TAG_BYTES} bytes, as IRC writes them.")
    return tags
