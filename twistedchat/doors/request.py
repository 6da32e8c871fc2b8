"""One JSON object that a program sent, and its fields as the table of verbs wants them.

Pure: knows JSON and the types of fields. Must not know what an op does.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn, cast

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.tags import checked_tags
from twistedchat.verbs import OPS, FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twistedchat.verbs import Field

__all__ = ["MAX_ID_LENGTH", "Request"]

MAX_ID_LENGTH = 256
"""Longest id, in characters; an answer that repeats it fits its line. Source: docs/protocol.md, "JSON lines"."""

_MAX_INTEGER = 2**63 - 1
"""Greatest whole number that is understood. Source: what SQLite and most languages hold."""

_LEAST = {FieldType.SEQ: 0, FieldType.COUNT: 1}
"""Least value of each type of field that is a number. Source: docs/protocol.md, "JSON lines"."""

_KINDS = [Kind.SAY.value, Kind.ME.value, Kind.NOTICE.value]
"""What a private line can be. Source: docs/protocol.md, "JSON lines"."""


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

    def fields(self, op: str) -> tuple[Any, ...]:
        """The values of an op's fields, in the order of `verbs.OPS`; None where an optional one is absent or null.

        Raises:
            ChatError: ``bad-request``: one is missing, or of another type than the table says.
        """
        return tuple(self._value(field) for field in OPS[op].fields or ())

    def _value(self, field: Field) -> str | int | None:
        if field.optional and self._fields.get(field.name) is None:
            return None
        if field.type is FieldType.TAGS:
            return checked_tags(self._fields[field.name])
        if field.type is FieldType.KIND:
            return self._kind(field.name)
        least = _LEAST.get(field.type)
        return self.text(field.name) if least is None else self._number(field.name, least)

    def _kind(self, name: str) -> Kind:
        value = self._fields.get(name)
        if value not in _KINDS:
            raise _bad(f'Give "{name}" as one of {", ".join(_KINDS)}.')
        return Kind(value)

    def _number(self, name: str, least: int) -> int:
        value = self._fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MAX_INTEGER:
            raise _bad(f'Give "{name}" as a whole number from {least}.')
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
