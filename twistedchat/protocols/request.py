"""One JSON object that a program sent, and its fields by their type. Pure; must not know any op."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn, cast

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_ID_LENGTH", "Request"]

MAX_ID_LENGTH = 256
"""The longest id, in characters, so that an answer that repeats it fits its line."""

_MAX_INTEGER = 2**63 - 1
"""The greatest number that is understood: what SQLite and most languages hold."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _bad(text: str) -> ChatError:
    return ChatError("bad-request", text)


class Request:
    """One object that a program sent, and its fields by their type."""

    __slots__ = ("_fields", "id")

    def __init__(self, line: bytes) -> None:
        self._fields = _parse(line)
        self.id = self._checked_id(self._fields.get("id"))

    def _checked_id(self, value: object) -> object:
        if value is None or (isinstance(value, str) and len(value) <= MAX_ID_LENGTH):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER:
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        raise _bad(f"An id is a number or a text of at most {MAX_ID_LENGTH} characters.")

    def text(self, name: str) -> str:
        """A field that must be a string."""
        value = self._fields.get(name)
        if not isinstance(value, str):
            raise _bad(f'Give "{name}", a string.')
        return value

    def optional_text(self, name: str) -> str | None:
        """A field that is a string, absent, or null."""
        return None if self._fields.get(name) is None else self.text(name)

    def seq(self, name: str) -> int | None:
        """A field that is a whole number from 0, absent, or null."""
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_INTEGER:
            raise _bad(f'Give "{name}" as a whole number from 0.')
        return value


def _parse(line: bytes) -> Mapping[str, Any]:
    """A line as an object.

    Raises:
        ChatError: ``bad-json``.
    """
    try:
        parsed = json.loads(line.decode(), parse_constant=_no_constant)
        if b"\\u" in line:
            # Escapes can write half a character, which can't be stored or sent.
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ChatError("bad-json", "That line is not a JSON object in UTF-8.") from error
    if not isinstance(parsed, dict):
        raise ChatError("bad-json", "That line is JSON, but not an object: send {…}.")
    return cast("Mapping[str, Any]", parsed)
