"""Events for programs: one JSON object a line, UTF-8.

Must not know who reads, nor what the time is now.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, ClassVar

from twistedchat.formats.base import PAGE_BYTES, Change, Page, Signal, fitting
from twistedchat.tags import split_tags
from twistedchat.text import json_safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twistedchat.events import Event

__all__ = ["MAX_LINE_BYTES", "JsonFormat", "event_json", "iso", "to_line", "to_list"]

MAX_LINE_BYTES = 32 * 2**10
"""Longest line, in bytes, in both directions. Source: docs/protocol.md, "JSON lines"."""

_MAX_EVENT_BYTES = MAX_LINE_BYTES - 1024
"""Longest event with its tags, in bytes: so that in a history, too, one event fits.

Source: the beginning of that answer has an id of 256 characters, each at most 3 bytes, and the name of a room.
"""


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    return f"{datetime.datetime.fromtimestamp(second, datetime.UTC):%Y-%m-%dT%H:%M:%S}"


def iso(at: int) -> str:
    """Milliseconds since 1970 as ``2026-11-22T08:30:12.123Z``."""
    second, millisecond = divmod(at, 1000)
    return f"{_second(second)}.{millisecond:03}Z"


def to_line(message: Mapping[str, object]) -> bytes:
    """One message as its line, harmless on a terminal and one line for every reader.

    Raises:
        ValueError: It holds a number that JSON has not.
    """
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return json_safe(text).encode() + b"\n"


def event_json(event: Event) -> str:
    """One event as a JSON object; put together by hand, because every line said comes through here."""
    room, seq, at, kind, who, text, tags = event
    written = json_safe(
        f'{{"type":"event","room":{encode_basestring(room)},"seq":{seq},"at":"{iso(at)}",'
        f'"kind":"{kind}","who":{encode_basestring(who)},"text":{encode_basestring(text)}}}'
    )
    return _with_tags(written, tags) if tags else written


def _with_tags(written: str, tags: str) -> str:
    """An event with its tags, if they fit the line: a text of control characters alone takes 24 KiB of it."""
    tags = json_safe(json.dumps(split_tags(tags), ensure_ascii=False, separators=(",", ":")))
    if len(written.encode()) + len(tags.encode()) > _MAX_EVENT_BYTES:
        return written
    return f'{written[:-1]},"tags":{tags}}}'


def to_list(items: Iterable[str], space_bytes: int, *, is_newest: bool = False) -> bytes:
    """Items of JSON as a list, and behind it ``,"more":true`` if not all of them fit.

    Args:
        items: The items as JSON, without line ends; no more of them are asked for than fit.
        space_bytes: So many bytes may the result have.
        is_newest: The items come in the opposite order of the list.
    """
    space_bytes -= len(b'[],"more":true')
    taken: list[bytes] = []
    more = b""
    for item in items:
        encoded = item.encode()
        space_bytes -= len(encoded) + 1
        if space_bytes < 0:
            more = b',"more":true'
            break
        taken.append(encoded)
    if is_newest:
        taken.reverse()
    return b"[" + b",".join(taken) + b"]" + more


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """Every program reads the same."""

    in_steps: ClassVar[bool] = False

    def page(self, events: Sequence[Event], max_bytes: int = PAGE_BYTES) -> Page:
        """Render the events that fit as one line each."""
        lines = fitting((f"{event_json(event)}\n".encode() for event in events), max_bytes)
        return Page(events[: len(lines)], lines, b"".join(lines))

    def signal(self, signal: Signal) -> bytes:  # noqa: ARG002  the seam is of all formats
        """Nothing."""
        return b""

    def presence(self, change: Change) -> bytes:
        """Render coming and going as one object."""
        return to_line(
            {
                "type": "presence",
                "room": change.room,
                "joined": list(change.joined),
                "left": [name for name, _ in change.left],
                "renamed": [list(pair) for pair in change.renamed],
                "count": change.count,
            }
        )
