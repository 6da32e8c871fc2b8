"""What was said before, for IRC clients: as notices that no program answers, or as a batch.

Knows how a part of a log is told. Must not know who asked for it, nor what the time is now: it comes as an argument.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.events import Kind
from twistedchat.irc.pieces import pieces
from twistedchat.irc.said import head_of, marked
from twistedchat.irc.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from twistedchat.events import Event
    from twistedchat.irc.format import IrcFormat

__all__ = ["LIVE", "TELLER", "Clock", "batch", "chathistory", "notice", "retold", "said_earlier", "said_meanwhile"]

TELLER = "HistServ!~past@log"
"""Who tells what was said before: a person, with the speaker's name in the text, because ii shows a room no other."""

LIVE = "*** From here on it is live."
"""What is told behind lines that were said before."""

_REMEMBERED = 1024
"""Most seconds that are kept as text. Source: two pages of history."""


class _Moment(NamedTuple):
    """A second in a zone, as it is told."""

    day: str
    time: str


@lru_cache(maxsize=_REMEMBERED)
def _moment(second: int, zone: datetime.tzinfo | None) -> _Moment:
    then = datetime.datetime.fromtimestamp(second, datetime.UTC).astimezone(zone)
    return _Moment(f"{then:%Y-%m-%d}", f"{then:%H:%M:%S}")


class Clock(NamedTuple):
    """How times are told: the date with them if it is not of today.

    Attributes:
        today_at: A moment of today, in milliseconds since 1970.
        zone: The zone of the times; None is the server's.
    """

    today_at: int
    zone: datetime.tzinfo | None = None

    def told(self, at: int) -> str:
        """``08:31:02``, or ``2026-11-21 08:31:02``."""
        moment = _moment(at // 1000, self.zone)
        is_today = moment.day == _moment(self.today_at // 1000, self.zone).day
        return moment.time if is_today else f"{moment.day} {moment.time}"


def notice(room: str, text: str) -> bytes:
    """One notice to a room, such as `LIVE`; a text that is too long is several."""
    return _notices(room, "", text)


def said_earlier(count: int) -> str:
    """What is told before the last lines of a room."""
    return f"*** {_lines(count)} said earlier:"


def said_meanwhile(count: int, first_at: int, last_at: int, clock: Clock) -> str:
    """What is told before lines that somebody missed, the first and the last of them said at these times."""
    return f"*** {_lines(count)} that you missed, said from {clock.told(first_at)} to {clock.told(last_at)}:"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def retold(event: Event, clock: Clock, *, numbered: bool = False) -> bytes:
    """An event as a notice: ``[08:31:02] <bob> text``; the next pieces of a longer one begin in the same way.

    Nothing that was said can begin a line, so none can be forged.

    Args:
        event: Of a room's log.
        clock: How its time is told.
        numbered: Whether its seq stands behind the time.
    """
    room, seq, at, kind, who, text, _ = event
    when = f"[{clock.told(at)} {seq}]" if numbered else f"[{clock.told(at)}]"
    name = shown(who)
    if kind is Kind.SAY:
        return _notices(room, f"{when} <{name}> ", text)
    if kind is Kind.ME:
        return _notices(room, f"{when} * {name} ", text)
    if kind is Kind.TOPIC:
        did = f"{when} * {name} set the topic: " if text else f"{when} * {name} cleared the topic"
        return _notices(room, did, text)
    return _notices(room, f"{when} -{name}- " if who else f"{when} ! ", text)


def _notices(room: str, opening: str, text: str) -> bytes:
    head = head_of(TELLER, "NOTICE", f"#{room}")
    parts = pieces(text, head.space_bytes - len(opening.encode()))
    texts = [part.text for part in parts if part.text or len(parts) == 1]
    return "".join([f"{head.start}{opening}{one}\r\n" for one in texts]).encode()


def chathistory(
    form: IrcFormat, reference: str, room: str, events: Iterable[Event], first: str = ""
) -> Iterator[bytes]:
    """A batch of ``chathistory``, line by line, or of longer events several lines at once.

    Args:
        form: How the client is shown events.
        reference: Of the batch: letters and digits, unlike that of any other batch that is open.
        room: Its name without ``#``, in the spelling that is kept.
        events: Oldest first; none makes an empty batch.
        first: A tag of the first line: the label of the client's command.
    """
    lines = (form.line(event, every=f"batch={reference}") for event in events)
    return batch(form.server, reference, "chathistory", f"#{room}", lines, first)


def batch(
    server: str, reference: str, kind: str, target: str, lines: Iterable[bytes], first: str = ""
) -> Iterator[bytes]:
    """Lines between the two that say where a batch begins and ends; they bear its reference already."""
    yield f"{marked(first)}:{server} BATCH +{reference} {kind}{target and f' {shown(target)}'}\r\n".encode()
    yield from lines
    yield f":{server} BATCH -{reference}\r\n".encode()
