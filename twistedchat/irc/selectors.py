"""Questions for history, as a client asks them: ``CHATHISTORY`` and its parameters.

Knows how a question is written (IRCv3, chathistory). Must not know the log, nor who may read it.
"""

from __future__ import annotations

import datetime
import enum
import re
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.irc.errors import FailError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_EVENTS", "Ask", "Bound", "Moment", "Place", "Selector", "parse_selector"]

MAX_EVENTS = 1000
"""Most events of one answer. Source: docs/irc.md, ``CHATHISTORY``: what is told with numeric 005."""

_MSGID = re.compile(r"([a-z0-9]+)/([^/]+)/([0-9]+)")
"""Id of an event: the log, the room, the seq. Source: docs/irc.md, "Tags"."""

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
"""Time in UTC, mostly with milliseconds. Source: IRCv3, server-time."""

_NUMBER = re.compile(r"[0-9]+")
"""Number of lines. Source: IRCv3, chathistory."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)


class Ask(enum.StrEnum):
    """What is asked for. The value is the word that a client sends."""

    BEFORE = "BEFORE"
    AFTER = "AFTER"
    LATEST = "LATEST"
    AROUND = "AROUND"
    BETWEEN = "BETWEEN"
    TARGETS = "TARGETS"


class Place(NamedTuple):
    """An event, by its id."""

    log: str
    room: str
    seq: int


class Moment(NamedTuple):
    """A time, in milliseconds since 1970."""

    at: int


Bound = Place | Moment
"""Where a part of the log begins or ends; what stands there does not belong to it."""


class Selector(NamedTuple):
    """A question for history.

    Attributes:
        ask: What is asked for.
        word: The same as the client wrote it, for the answer.
        target: Of whose history: a room with its ``#``, or a name. "" for `Ask.TARGETS`.
        bounds: As many as `ask` has, in the order sent: for `Ask.BETWEEN` lines are counted from the first one on,
            which may be the later one. None for ``*``, of `Ask.LATEST` alone.
        limit: Most lines of the answer, at most `MAX_EVENTS`; may be 0.
    """

    ask: Ask
    word: str
    target: str
    bounds: Sequence[Bound | None]
    limit: int

    def seq_of(self, place: Place, log: str, room: str, last: int) -> int:
        """The seq of an event that a bound names.

        Args:
            place: The bound.
            log: The identity of the store.
            room: The room that is asked about, without ``#``, in the spelling that is kept.
            last: The seq of its last event, which also one beyond it counts as.

        Raises:
            FailError: ``MESSAGE_ERROR``: it is an event of another room, or of another log.
        """
        if (place.log, place.room) != (log, room):
            raise _no_such_line(self)
        return min(place.seq, last)


def parse_selector(params: Sequence[str]) -> Selector:
    """Read the parameters of ``CHATHISTORY``.

    Raises:
        FailError: ``INVALID_PARAMS`` for what is no question; ``MESSAGE_ERROR`` for a msgid that no event has.
    """
    word = params[0] if params else "*"
    try:
        ask = Ask(word.upper())
    except ValueError:
        asks = ", ".join(Ask)
        raise _fail("INVALID_PARAMS", word, text=f"CHATHISTORY knows {asks}.") from None
    usage = _usage(ask)
    if len(params) != len(usage.split()):
        amount = "few" if len(params) < len(usage.split()) else "many"
        raise _fail("INVALID_PARAMS", word, text=f"Too {amount} parameters. It is: CHATHISTORY {usage}")
    target = "" if ask is Ask.TARGETS else params[1]
    written = params[1:-1] if ask is Ask.TARGETS else params[2:-1]
    selector = Selector(ask, word, target, (), _limit(word, params[-1]))
    return selector._replace(bounds=[_bound(selector, one) for one in written])


def _usage(ask: Ask) -> str:
    if ask is Ask.TARGETS:
        return f"{ask} TIMESTAMP TIMESTAMP LIMIT"
    if ask is Ask.BETWEEN:
        return f"{ask} TARGET BOUND BOUND LIMIT"
    return f"{ask} TARGET BOUND LIMIT"


def _limit(word: str, written: str) -> int:
    if not _NUMBER.fullmatch(written):
        raise _fail("INVALID_PARAMS", word, written, text=f"The limit is a number, up to {MAX_EVENTS}.")
    return min(int(written), MAX_EVENTS)


def _bound(selector: Selector, written: str) -> Bound | None:
    if written == "*" and selector.ask is Ask.LATEST:
        return None
    kind, _, value = written.partition("=")
    if kind == "timestamp":
        moment = _moment(value)
        if moment is None:
            text = "A timestamp is written like timestamp=2026-11-22T08:30:12.040Z, and is one that there is."
            raise _fail("INVALID_PARAMS", selector.word, written, text=text)
        return moment
    if kind == "msgid" and selector.ask is not Ask.TARGETS:
        found = _MSGID.fullmatch(value)
        if found is None:
            raise _no_such_line(selector)
        return Place(found[1], found[2], int(found[3]))
    kinds = "timestamp=" if selector.ask is Ask.TARGETS else "msgid= or timestamp="
    raise _fail("INVALID_PARAMS", selector.word, written, text=f"A bound begins with {kinds}.")


def _moment(written: str) -> Moment | None:
    found = _TIME.fullmatch(written)
    if found is None:
        return None
    *fields, fraction = found.groups()
    year, month, day, hour, minute, second = map(int, fields)
    milliseconds = int(f"{fraction or ''}000"[:3])
    try:
        then = datetime.datetime(year, month, day, hour, minute, second, milliseconds * 1000, datetime.UTC)
    except ValueError:
        return None
    return Moment((then - _EPOCH) // _MILLISECOND)


def _no_such_line(selector: Selector) -> FailError:
    return _fail("MESSAGE_ERROR", selector.word, selector.target, text="No line there has that msgid.")


def _fail(code: str, *context: str, text: str) -> FailError:
    return FailError("CHATHISTORY", code, *context, text=text)
