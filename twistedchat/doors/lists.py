"""Names and rooms in the answers to programs, as JSON.

Pure: knows records. Must not know who asks.
"""

from __future__ import annotations

import json
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

from twistedchat.formats.jsonl import to_list
from twistedchat.text import json_safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twistedchat.records import Names, RoomEntry

__all__ = ["joined_roster", "names_json", "room_json"]

_ROSTER_BYTES = 24 * 2**10
"""Size limit of the list of members in ``joined``, in bytes.

Source: `formats.jsonl.MAX_LINE_BYTES` less the longest topic without escapes (4 KiB) and the other fields.
"""


def room_json(room: RoomEntry) -> str:
    """A room of the list."""
    entry = {"name": room.name, "members": room.count, "seq": room.seq, "topic": room.topic}
    return json_safe(json.dumps(entry, ensure_ascii=False))


def joined_roster(names: Names, space_bytes: int) -> bytes:
    """The members told on joining."""
    return _shared_roster(names) if space_bytes >= _ROSTER_BYTES else to_list(names_json(names), space_bytes)


@lru_cache(maxsize=16)
def _shared_roster(names: Names) -> bytes:
    """Of a large room the same names are told to all who come within a second."""
    return to_list(names_json(names), _ROSTER_BYTES)


def names_json(names: Iterable[str]) -> Iterable[str]:
    """Names as strings of JSON."""
    return map(encode_basestring, names)
