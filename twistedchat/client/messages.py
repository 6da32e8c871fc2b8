"""What the server sends, as records. Pure: knows the JSON lines of docs/protocol.md, and must not know what follows."""

from __future__ import annotations

import datetime
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Answer", "Closing", "Invitation", "Message", "Removal", "ServerError", "Tell", "event_of", "parse"]

MAX_FREE_IN_SECONDS = 60.0
"""Upper bound of a ``free_in`` that is believed, in seconds: a server keeps a lost session no longer.

Source: docs/protocol.md, "Coming back".
"""


class ServerError(ChatError):
    """What the server says is wrong.

    Attributes:
        free_in_seconds: When a name that a lost session holds will be free; None if nothing is known.
    """

    def __init__(self, code: str, text: str, free_in_seconds: float | None = None) -> None:
        super().__init__(code, text)
        self.free_in_seconds = free_in_seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer to a request.

    Attributes:
        re: The request's id; None if the server could not read it.
        fields: The whole message.
        error: What is wrong, if that is the answer.
    """

    re: str | int | None
    fields: Mapping[str, Any]
    error: ServerError | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """A private line; ``at`` in milliseconds since 1970."""

    who: str
    text: str
    at: int
    kind: Kind = Kind.SAY


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody lets us into a room."""

    room: str
    who: str

    @property
    def text(self) -> str:
        """The same as a sentence."""
        return f"{self.who} invites you to #{self.room}: /join #{self.room} enters it."


@dataclass(frozen=True, slots=True)
class Removal:
    """Somebody has removed us from a room; ``why`` may be ""."""

    room: str
    by: str
    why: str

    @property
    def text(self) -> str:
        """The same as a sentence."""
        return f"{self.by} removed you from #{self.room}{f': {self.why}' if self.why else '.'}"


@dataclass(frozen=True, slots=True)
class Closing:
    """The server closes the connection.

    Attributes:
        text: Why, as a sentence.
        code: Why: ``stopping``, ``full``, ``no-name``, ``taken-over``, ``fault``, ``name-lost`` or ``log-lost``;
            ``closing`` from a server that gives none.
    """

    text: str
    code: str = "closing"


Message: TypeAlias = Event | Change | Tell | Invitation | Removal | Closing | Answer


def parse(line: bytes) -> Message:
    """One line from the server.

    Raises:
        ValueError: It is nothing that a chatroom says.
    """
    try:
        message = json.loads(line)
        return _PUSHED.get(message["type"], _answer)(message)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError("not a chatroom's message") from error


def event_of(message: Mapping[str, Any]) -> Event:
    """An event as it stands on the wire.

    A kind that this client is too old to know is shown as a notice.

    Raises:
        ValueError, KeyError, TypeError: It is none.
    """
    kind, who, text = message["kind"], message["who"], message["text"]
    try:
        kind = Kind(kind)
    except ValueError:
        kind, who, text = Kind.NOTICE, "", f"{who} {kind}: {text}"
    return Event(str(message["room"]), int(message["seq"]), _milliseconds(message["at"]), kind, str(who), str(text))


def _milliseconds(iso: str) -> int:
    return round(datetime.datetime.fromisoformat(iso).timestamp() * 1000)


def _change(message: Mapping[str, Any]) -> Change:
    return Change(
        room=str(message["room"]),
        joined=[str(name) for name in message["joined"]],
        left=[(str(name), "") for name in message["left"]],
        renamed=[(str(old), str(new)) for old, new in message["renamed"]],
        count=int(message["count"]),
    )


def _tell(message: Mapping[str, Any]) -> Tell:
    kind = message.get("kind", Kind.SAY)
    kind = Kind(kind) if kind in {Kind.ME, Kind.NOTICE} else Kind.SAY
    return Tell(str(message["who"]), str(message["text"]), _milliseconds(message["at"]), kind)


def _invitation(message: Mapping[str, Any]) -> Invitation:
    return Invitation(str(message["room"]), str(message["who"]))


def _removal(message: Mapping[str, Any]) -> Removal:
    return Removal(str(message["room"]), str(message["by"]), str(message["text"]))


def _closing(message: Mapping[str, Any]) -> Closing:
    return Closing(str(message["text"]), str(message.get("code") or "closing"))


def _answer(message: Mapping[str, Any]) -> Answer:
    re = message.get("re")
    if re is not None and not isinstance(re, (str, int)):
        raise ValueError("not an id of ours")
    return Answer(re, message, _error(message) if message["type"] == "error" else None)


def _error(message: Mapping[str, Any]) -> ServerError:
    free_in = message.get("free_in")
    if not isinstance(free_in, (int, float)) or isinstance(free_in, bool) or not math.isfinite(free_in):
        free_in = None
    else:
        free_in = min(max(0.0, float(free_in)), MAX_FREE_IN_SECONDS)
    return ServerError(str(message["code"]), str(message["text"]), free_in)


_PUSHED: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "event": event_of,
    "presence": _change,
    "tell": _tell,
    "invite": _invitation,
    "removed": _removal,
    "closing": _closing,
}
