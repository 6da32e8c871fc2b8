"""JSON lines, the way out: what the core shows a program, and what became of its lines.

Knows the messages that no request asks for. Must not know what can be asked: `jsonl` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.doors.channel import FAULT, Farewell
from twistedchat.doors.farewells import killed
from twistedchat.errors import ChatError
from twistedchat.events import CTCP, Kind
from twistedchat.formats.jsonl import iso, to_line

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from twistedchat.doors.stream import ChatProtocol
    from twistedchat.formats.base import Page
    from twistedchat.people.base import Named
    from twistedchat.profiles import Profile
    from twistedchat.session import Session
    from twistedchat.stores.base import Stored

__all__ = ["MAX_OWED_BYTES", "JsonOutlet", "head_of", "receipt_bytes"]

MAX_OWED_BYTES = 64 * 2**10
"""High-water mark of the receipts that one program is owed, in bytes; at it the next request waits for half of them.

Source: as `formats.base.PAGE_BYTES`. A burst of 200 lines with the longest ids is 600 KiB of receipts.
"""


def head_of(id_: object, type_: str) -> dict[str, object]:
    """The beginning of a message: its type, and whose answer it is."""
    return {"type": type_} if id_ is None else {"type": type_, "re": id_}


def receipt_bytes(id_: object) -> int:
    """Most bytes of a receipt, about: a character of an id is written in 12 at most."""
    return 96 + (12 * len(id_) if isinstance(id_, str) else 0)


class JsonOutlet:
    """One program at one connection, as an outlet (`speaker.Listener`) and the receipt of its lines.

    Args:
        stream: The connection.

    Attributes:
        unanswered: How many lines are not answered yet.
    """

    __slots__ = ("_owed_bytes", "_receipts", "_session", "_settled", "_stream", "unanswered")

    def __init__(self, stream: ChatProtocol) -> None:
        self._stream = stream
        self._session: Session | None = None
        self._receipts: list[bytes] = []
        self._owed_bytes = 0
        self._settled: Deferred[None] | None = None
        self.unanswered = 0

    def _write(self, data: bytes) -> None:
        self._stream.wire.write(self._with_receipts(data))

    def _refuse(self, id_: object, error: ChatError) -> None:
        self._write(to_line(head_of(id_, "error") | {"code": error.code, "text": error.text} | error.facts))

    # -- what the core shows ---------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether something waits to be written."""
        return self._stream.wire.full

    def show(self, page: Page) -> bool:
        """Write events, if nothing waits to be written."""
        wire = self._stream.wire
        if wire.full:
            return False
        wire.write(self._with_receipts(page.data) if self._receipts else page.data)
        return True

    def show_presence(self, data: bytes) -> bool:
        """Write who came and went, if nothing waits to be written."""
        if self._stream.wire.full:
            return False
        self._write(data)
        return True

    def show_private(self, sender: Named, text: str, at: int, kind: Kind, tags: str) -> bool:  # noqa: ARG002  tags are an event's
        """Write a private line, if nothing waits to be written; not one from program to program of IRC."""
        if self._stream.wire.full:
            return False
        if text[:1] != CTCP:
            what = {"type": "tell", "who": sender.name, "text": text, "at": iso(at)}
            self._write(to_line(what if kind is Kind.SAY else what | {"kind": kind}))
        return True

    def invited(self, by: str, room: str) -> None:
        """Somebody lets the program into a room."""
        self._write(to_line({"type": "invite", "room": room, "who": by}))

    def removed(self, room: str, by: str, why: str) -> None:
        """Somebody has removed the program from a room."""
        self._write(to_line({"type": "removed", "room": room, "by": by, "text": why}))

    def caught_up(self, room: str) -> None:  # noqa: ARG002  a program sees where it stands
        """A room has been shown to its end."""
        self._stream.channel.check_finished_soon()

    def unreadable(self, room: str, *, passed_over: bool) -> None:
        """Some of a room can't be read."""
        left_out = "and is left out" if passed_over else "now; it comes when it can"
        text = f"Some of what was said in #{room} can't be read, {left_out}."
        self._refuse(None, ChatError("not-readable", text, room=room))

    def wallops(self, by: str, text: str) -> None:
        """A program says nowhere that it wants to hear it."""

    def killed(self, by: str, why: str) -> None:
        """An operator has ended the session."""
        self._session = None
        self._stream.channel.close(killed(by, why))

    def evicted(self, code: str, text: str) -> None:
        """The session is another connection's, or nobody's."""
        self._session = None
        self._stream.channel.close(Farewell(code, text))

    def face(self) -> Profile:
        """How the person is seen by others."""
        return self._stream.face("json")

    def notify(self, text: str) -> None:
        """A program sees by its answers how the server is."""

    def log_lost(self, room: str) -> None:
        """A program comes back, and sees by ``joined`` where the log ends."""
        text = f"The log of #{room} has lost what was said last: come back and go on from where it ends."
        self._stream.channel.close(Farewell("log-lost", text))

    def fault(self) -> None:
        """Showing failed; that is logged."""
        self._stream.channel.close(FAULT)

    # -- what became of lines --------------------------------------------------------------------

    def stored(self, tag: object, stored: Stored) -> None:
        """A line of the program's stands in the log. Its receipt goes along with what is written next."""
        if not self._receipts:
            self._stream.port.clock.callLater(0, self._settle)
        self._owed_bytes -= receipt_bytes(tag)
        head = head_of(tag, "ok") | {"room": stored.event.room, "seq": stored.event.seq}
        self._receipts.append(to_line(head if stored.fresh else head | {"again": True}))

    def _settle(self) -> None:
        if self._receipts:
            self._write(b"")
        if self._settled is not None and self._owed_bytes <= MAX_OWED_BYTES // 2:
            settled, self._settled = self._settled, None
            settled.callback(None)
        self._stream.channel.check_finished()

    def _with_receipts(self, data: bytes) -> bytes:
        """Data that is about to be written, with the receipts that wait before it."""
        if not self._receipts:
            return data
        receipts, self._receipts = self._receipts, []
        self.unanswered -= len(receipts)
        return b"".join(receipts) + data

    def refused(self, tag: object, error: ChatError) -> None:
        """A line of the program's could not be stored."""
        self._refuse(tag, error)
        self.unanswered -= 1
        self._owed_bytes -= receipt_bytes(tag)
        self._stream.port.clock.callLater(0, self._settle)
