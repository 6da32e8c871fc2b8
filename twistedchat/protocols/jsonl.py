"""JSON lines: what a program sends, one object a line, and what it is answered.

Knows the ops and their fields. Must not know how lines are cut or bytes are sent.
"""

from __future__ import annotations

import bisect
import itertools
import json
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, ClassVar

from twistedchat import __version__
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.formats.jsonl import MAX_LINE_BYTES, JsonFormat, event_json, iso, to_line, to_list
from twistedchat.protocols.request import Request
from twistedchat.room import PAGE_EVENTS, Room
from twistedchat.session import Session
from twistedchat.text import json_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from twisted.internet.defer import Deferred

    from twistedchat.events import Event
    from twistedchat.formats.base import Page
    from twistedchat.hub import Person
    from twistedchat.protocols.line import ChatProtocol

__all__ = ["JsonDialect"]

_FORMAT = JsonFormat()

_ROSTER_BYTES = 24 * 2**10
"""The members told on joining: with a topic that needs no escapes, the line has 32 KiB at the most."""


class JsonDialect:
    """One program at one connection; also its outlet (`room.Outlet`)."""

    __slots__ = (
        "_hub",
        "_protocol",
        "_quitting",
        "_receipts",
        "_said_hello",
        "_session",
        "_wire",
        "unanswered",
    )

    def __init__(self, protocol: ChatProtocol) -> None:
        self._protocol = protocol
        self._wire = protocol.wire
        self._hub = protocol.factory.hub
        self._session: Session | None = None
        self._said_hello = False
        self._quitting = False
        self._receipts: list[bytes] = []
        self.unanswered = 0
        protocol.telnet.telnet = False

    # -- lines in --------------------------------------------------------------------------------

    def greet(self) -> None:
        """Nothing: a program speaks first."""

    def line(self, line: bytes) -> Coroutine[Deferred[None], None, None] | None:
        """Do what an object asks, and answer it."""
        if not line.strip():
            return None
        id_: object = None
        try:
            request = Request(line)
            id_ = request.id
            return self._do(request)
        except ChatError as error:
            self._refuse(id_, error)
        if self._session is None and not self._said_hello:
            self._protocol.close()
        return None

    def _do(self, request: Request) -> Coroutine[Deferred[None], None, None] | None:
        op = request.text("op")
        if self._session is None:
            self._hello(op, request)
            return None
        if op not in self._ops:
            raise ChatError("unknown-op", f"There is no such op; there are {', '.join(sorted(self._ops))}.")
        answering = self._ops[op](self, request, self._session)
        return None if answering is None else self._answered(answering, request.id)

    async def _answered(self, answering: Coroutine[Deferred[None], None, None], id_: object) -> None:
        try:
            await answering
        except ChatError as error:
            self._refuse(id_, error)

    def too_long(self) -> None:
        """Answer for a line that was too long to be looked at."""
        self._refuse(None, ChatError("too-long", "That line was over 32 KiB, and was not looked at."))

    def _answer(self, request: Request, type_: str, **fields: object) -> None:
        self._write(to_line(_head(request.id, type_) | fields))

    def _refuse(self, id_: object, error: ChatError) -> None:
        self._write(to_line(_head(id_, "error") | {"code": error.code, "text": error.text}))

    def _write(self, data: bytes) -> None:
        self._give_receipts()
        self._wire.write(data)

    # -- ops -------------------------------------------------------------------------------------

    def _hello(self, op: str, request: Request) -> None:
        if op != "hello":
            raise ChatError("no-hello", 'Say who you are first: {"op":"hello","name":…}.')
        self._said_hello = True
        name, token = request.text("name"), request.optional_text("resume")
        session = self._hub.tokens.get(token) if token else None
        resumed = isinstance(session, Session)
        if isinstance(session, Session):
            before = session.resume(self)
            if isinstance(before, JsonDialect):
                before.give_up_session()
        else:
            session = Session(self._hub, self)
            session.enter(name, resumable=True)
        self._session = session
        self._protocol.named()
        title = self._protocol.factory.settings.title
        self._answer(
            request,
            "welcome",
            name=session.name,
            session=session.token,
            resumed=resumed,
            server=title,
            version=__version__,
        )

    def give_up_session(self) -> None:
        """Another connection has taken the session up."""
        self._session = None
        self._protocol.close()

    def _hello_again(self, request: Request, session: Session) -> None:  # noqa: ARG002  as every op
        raise ChatError("already-here", f"You are {session.name} already: rename gives another name.")

    def _join(self, request: Request, session: Session) -> None:
        room = session.join(request.text("room"), _FORMAT, request.seq("after"))
        head = {"room": room.name, "seq": room.seq, "topic": room.topic, "count": room.count}
        self._list(request, "joined", head, "members", lambda space: _roster(room, space))
        session.show_all()

    def _leave(self, request: Request, session: Session) -> None:
        session.leave(request.text("room"))
        self._answer(request, "ok")

    def _rename(self, request: Request, session: Session) -> None:
        session.rename(request.text("name"))
        self._answer(request, "ok", name=session.name)

    def _say(self, request: Request, session: Session) -> None:
        room = session.room(request.text("room"))
        kind, key = Kind(request.text("op")), request.optional_text("key")
        session.say(room, request.text("text"), self, request.id, kind=kind, key=key)
        self.unanswered += 1

    async def _history(self, request: Request, session: Session) -> None:
        room = session.known_room(request.text("room"))
        before, after, limit = request.seq("before"), request.seq("after"), request.seq("limit")
        if limit == 0:
            raise ChatError("bad-request", 'Give "limit" as a whole number from 1.')
        if before is None and after is None:
            before = room.seq + 1
        events = await self._hub.read(room, after=after, before=before, limit=min(PAGE_EVENTS, limit or PAGE_EVENTS))
        # What does not fit the line is left out at the end from which the next page goes on.
        items = [event_json(event) for event in events]
        self._list(
            request, "history", {"room": room.name}, "events", lambda space: to_list(items, space, newest=after is None)
        )

    def _who(self, request: Request, session: Session) -> None:
        room = session.known_room(request.text("room"))
        after = request.optional_text("after") or ""
        names = room.names[bisect.bisect_right(room.names, after) :]
        self._list(
            request, "who", {"room": room.name, "count": room.count}, "members", lambda space: _members(names, space)
        )

    def _rooms(self, request: Request, session: Session) -> None:  # noqa: ARG002  as every op
        after = request.optional_text("after") or ""
        rooms = self._hub.rooms
        start = bisect.bisect_right(rooms, after, key=lambda room: room.name)
        items = (
            json.dumps(
                {"name": room.name, "members": room.count, "seq": room.seq, "topic": room.topic}, ensure_ascii=False
            )
            for room in itertools.islice(rooms, start, None)
        )
        self._list(request, "rooms", {}, "rooms", lambda space: to_list(map(json_safe, items), space))

    def _list(
        self, request: Request, type_: str, head: dict[str, object], name: str, render: Callable[[int], bytes]
    ) -> None:
        """Answer with a list, of which as much is given as fits a line: so many bytes are left for it."""
        start = to_line(_head(request.id, type_) | head)[:-2] + f',"{name}":'.encode()
        self._write(start + render(MAX_LINE_BYTES - len(start) - len(b"}\n")) + b"}\n")

    def _tell(self, request: Request, session: Session) -> None:
        session.send(request.text("to"), request.text("text"))
        self._answer(request, "ok")

    def _ping(self, request: Request, session: Session) -> None:  # noqa: ARG002  as every op
        self._answer(request, "pong")

    def _quit(self, request: Request, session: Session) -> None:  # noqa: ARG002  as every op
        self._quitting = True
        self._protocol.finish()

    _ops: ClassVar[
        Mapping[str, Callable[[JsonDialect, Request, Session], Coroutine[Deferred[None], None, None] | None]]
    ] = {
        "hello": _hello_again,
        "join": _join,
        "leave": _leave,
        "say": _say,
        "me": _say,
        "topic": _say,
        "rename": _rename,
        "history": _history,
        "who": _who,
        "rooms": _rooms,
        "tell": _tell,
        "ping": _ping,
        "quit": _quit,
    }

    # -- what the core shows ---------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether something waits to be written."""
        return self._wire.full

    def show(self, page: Page) -> bool:
        """Write events, if nothing waits to be written."""
        if self._wire.full:
            return False
        if self._receipts:
            self._give_receipts()
        self._wire.write(page.data)
        return True

    def show_presence(self, data: bytes) -> bool:
        """Write who came and went, if nothing waits to be written."""
        if self._wire.full:
            return False
        self._write(data)
        return True

    def show_tell(self, sender: Person, text: str, at: int) -> bool:
        """Write a private line, if nothing waits to be written."""
        if self._wire.full:
            return False
        self._write(to_line({"type": "tell", "who": sender.name, "text": text, "at": iso(at)}))
        return True

    def stored(self, tag: object, event: Event, *, again: bool) -> None:
        """A line of the program's stands in the log. Receipts of one batch are written together."""
        if not self._receipts:
            self._hub.reactor.callLater(0, self._settle)
        head = _head(tag, "ok") | {"room": event.room, "seq": event.seq}
        self._receipts.append(to_line(head | {"again": True} if again else head))

    def _settle(self) -> None:
        self._give_receipts()
        self._protocol.check_finished()

    def _give_receipts(self) -> None:
        """Write the receipts that wait. Not the place to finish in: a page may be about to be written."""
        if self._receipts:
            receipts, self._receipts = self._receipts, []
            self._wire.write(b"".join(receipts))
            self.unanswered -= len(receipts)

    def refused(self, tag: object, error: ChatError) -> None:
        """A line of the program's could not be stored."""
        self._refuse(tag, error)
        self.unanswered -= 1
        self._protocol.check_finished()

    # -- the connection --------------------------------------------------------------------------

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown."""
        return self._session is None or self._session.has_seen_all

    def drained(self) -> None:
        """Go on where the wire was full."""
        if self._session is not None:
            self._session.show_all()

    def caught_up(self, room: Room) -> None:  # noqa: ARG002  a program sees where it stands
        """A room has been shown to its end."""
        self._protocol.check_finished()

    def goodbye(self, text: str) -> None:
        """Say why the server closes the connection."""
        self._write(to_line({"type": "closing", "text": text}))

    def lost(self) -> None:
        """Wait to be resumed; or leave, after a quit."""
        session, self._session = self._session, None
        if session is not None and self._quitting:
            session.close()
        elif session is not None:
            session.lose()


def _head(id_: object, type_: str) -> dict[str, object]:
    return {"type": type_} if id_ is None else {"type": type_, "re": id_}


def _members(names: Iterable[str], space_bytes: int = _ROSTER_BYTES) -> bytes:
    return to_list(map(encode_basestring, names), space_bytes)


def _roster(room: Room, space_bytes: int) -> bytes:
    roster = room.roster(_members)
    return roster if len(roster) <= space_bytes else _members(room.names, space_bytes)
