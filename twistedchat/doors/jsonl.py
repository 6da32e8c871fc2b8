"""JSON lines: what a program asks, one object a line, and what it is answered.

Knows the ops' answers; their fields are in the one table (`twistedchat.verbs`). Must not know how lines are
cut or bytes are sent, nor anything of a room but what a session's verbs give back.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import Deferred

from twistedchat import __version__
from twistedchat.comeback import resume
from twistedchat.doors.channel import NO_FAREWELL, Farewell
from twistedchat.doors.json_outlet import MAX_OWED_BYTES, JsonOutlet, head_of, receipt_bytes
from twistedchat.doors.lists import joined_roster, names_json, room_json
from twistedchat.doors.request import Request
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.formats.jsonl import MAX_LINE_BYTES, JsonFormat, event_json, to_line, to_list
from twistedchat.rooms.tail import PAGE_EVENTS
from twistedchat.session import Session
from twistedchat.verbs import OPS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from twistedchat.doors.stream import ChatProtocol
    from twistedchat.doors.telnet import Mark

    Answering = Coroutine[Deferred[Any], Any, None]
    """An answer that may have to wait for something."""

__all__ = ["JsonDoor", "closing_line"]

_FORMAT = JsonFormat()

_TAKEN_OVER = Farewell("taken-over", "Another connection has taken your session up.")


def closing_line(farewell: Farewell) -> bytes:
    """The server closes the connection, and why."""
    return to_line({"type": "closing", "code": farewell.code, "text": farewell.text})


class JsonDoor(JsonOutlet):
    """One program at one connection.

    Args:
        stream: The connection.
    """

    __slots__ = ("_is_quitting", "_parting", "_said_hello")

    def __init__(self, stream: ChatProtocol) -> None:
        super().__init__(stream)
        self._said_hello = False
        self._is_quitting = False
        self._parting = ""
        stream.decoder.telnet = False

    # -- what the peer asks ----------------------------------------------------------------------

    def request(self, request: bytes | Mark) -> Answering | None:
        """Do what an object asks, and answer it."""
        if not isinstance(request, bytes):
            self._refuse(None, ChatError("too-long", "That line was over 32 KiB, and was not looked at."))
            self._close_if_no_hello()
            return None
        if not request.strip():
            return None
        id_: object = None
        try:
            parsed = Request(request)
            id_ = parsed.id
            answering = self._do(parsed)
            return None if answering is None else self._answered(answering, id_)
        except ChatError as error:
            self._refuse(id_, error)
        self._close_if_no_hello()
        return None

    def _close_if_no_hello(self) -> None:
        """The first line must be a ``hello``."""
        if self._session is None and not self._said_hello:
            self._stream.channel.close()

    def _do(self, request: Request) -> Answering | None:
        op = request.text("op")
        session = self._session
        if session is None:
            if op != "hello":
                raise ChatError("no-hello", 'Say who you are first: {"op":"hello","name":…}.')
            self._said_hello = True
            return self._hello(request)
        if op not in OPS:
            raise ChatError("unknown-op", f"There is no such op; there are {', '.join(sorted(OPS))}.")
        return self._OPS[op](self, request, session)

    async def _answered(self, answering: Answering, id_: object) -> None:
        try:
            await answering
        except ChatError as error:
            self._refuse(id_, error)

    def _answer(self, request: Request, type_: str, **fields: object) -> None:
        self._write(to_line(head_of(request.id, type_) | fields))

    # -- ops -------------------------------------------------------------------------------------

    async def _hello(self, request: Request) -> None:
        name, token = request.fields("hello")
        hub = self._stream.port.hub
        taken_up = await resume(hub, token, self, _FORMAT) if token else None
        if taken_up is not None:
            session, before = taken_up
            if before is not None:
                before.evicted(*_TAKEN_OVER)
            if self._stream.channel.is_closing:
                # The connection was closed while the register looked for the session.
                session.lose()
                return
        else:
            session = Session(hub, self)
            self._session = session
            try:
                await session.enter(name, resumable=True, profile=JsonOutlet.face)
            except ChatError:
                self._session = None
                raise
        self._session = session
        self._stream.admitted()
        self._answer(
            request,
            "welcome",
            name=session.name,
            session=session.token,
            resumed=taken_up is not None,
            server=self._stream.port.settings.title,
            version=__version__,
            log=hub.store.identity,
        )

    def _hello_again(self, request: Request, session: Session) -> None:  # noqa: ARG002  as every op
        raise ChatError("already-here", f"You are {session.name} already: rename gives another name.")

    async def _join(self, request: Request, session: Session) -> None:
        room, after, key = request.fields("join")
        joined = await session.join(room, _FORMAT, after=after, key=key or "")
        head = {
            "room": joined.room,
            "seq": joined.seq,
            "topic": joined.topic,
            "log": self._stream.port.hub.store.identity,
            "count": joined.count,
        }
        self._list(request, "joined", head, "members", lambda space: joined_roster(joined.names, space))
        session.show_all()

    def _leave(self, request: Request, session: Session) -> None:
        (room,) = request.fields("leave")
        session.leave(room)
        self._answer(request, "ok")

    async def _rename(self, request: Request, session: Session) -> None:
        (name,) = request.fields("rename")
        await session.rename(name)
        self._answer(request, "ok", name=session.name)

    def _say(self, request: Request, session: Session) -> Answering | None:
        op = request.text("op")
        # A topic has no tags.
        room, text, key, *tags = request.fields(op)
        session.say(room, text, self, request.id, kind=Kind(op), key=key, tags=(tags and tags[0]) or "")
        self.unanswered += 1
        self._owed_bytes += receipt_bytes(request.id)
        return self._until_settled() if self._owed_bytes >= MAX_OWED_BYTES else None

    async def _until_settled(self) -> None:
        """Wait until the program is not owed much any more."""
        self._settled = Deferred()
        await self._settled

    async def _history(self, request: Request, session: Session) -> None:
        room, before, after, limit = request.fields("history")
        limit = min(PAGE_EVENTS, limit or PAGE_EVENTS)
        excerpt = await session.history(room, before=before, after=after, limit=limit)
        # What does not fit the line is left out at the end from which the next page goes on, and not rendered.
        is_newest = after is None
        events = reversed(excerpt.events) if is_newest else iter(excerpt.events)
        self._list(
            request,
            "history",
            {"room": excerpt.room},
            "events",
            lambda space: to_list(map(event_json, events), space, is_newest=is_newest),
        )

    async def _who(self, request: Request, session: Session) -> None:
        room, after = request.fields("who")
        roster = await session.who(room)
        names = roster.names[bisect.bisect_right(roster.names, after or "") :]
        head = {"room": roster.room, "count": roster.count}
        self._list(request, "who", head, "members", lambda space: to_list(names_json(names), space))

    async def _rooms(self, request: Request, session: Session) -> None:
        (after,) = request.fields("rooms")
        rooms = await session.list_rooms(after or "", max_chars=MAX_LINE_BYTES)
        self._list(request, "rooms", {}, "rooms", lambda space: to_list(map(room_json, rooms), space))

    def _list(
        self, request: Request, type_: str, head: dict[str, object], name: str, render: Callable[[int], bytes]
    ) -> None:
        """Answer with a list that fits the line: ``render`` is called with the bytes that are left for it."""
        start = to_line(head_of(request.id, type_) | head)[:-2] + f',"{name}":'.encode()
        self._write(start + render(MAX_LINE_BYTES - len(start) - len(b"}\n")) + b"}\n")

    async def _tell(self, request: Request, session: Session) -> None:
        to, text, kind = request.fields("tell")
        await session.tell(to, text, kind=kind or Kind.SAY)
        self._answer(request, "ok")

    def _ping(self, request: Request, session: Session) -> None:  # noqa: ARG002  as every op
        self._answer(request, "pong")

    def _quit(self, request: Request, session: Session) -> None:
        (why,) = request.fields("quit")
        self._is_quitting = True
        self._parting = why or ""
        session.end()
        self._stream.channel.finish(NO_FAREWELL)

    _OPS: ClassVar[Mapping[str, Callable[[JsonDoor, Request, Session], Answering | None]]] = {
        "hello": _hello_again,
        "join": _join,
        "leave": _leave,
        "say": _say,
        "me": _say,
        "notice": _say,
        "topic": _say,
        "rename": _rename,
        "history": _history,
        "who": _who,
        "rooms": _rooms,
        "tell": _tell,
        "ping": _ping,
        "quit": _quit,
    }
    """What each op does; by its name in `verbs.OPS`."""

    # -- the connection --------------------------------------------------------------------------

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown."""
        return self._session is None or self._session.has_seen_all

    def drained(self) -> None:
        """Go on where the wire was full."""
        if self._session is not None:
            self._session.show_all()

    def farewell(self, farewell: Farewell) -> None:
        """Say why the server closes the connection."""
        self._write(closing_line(farewell))

    def lost(self) -> None:
        """Wait to be resumed; or leave, after a quit."""
        session, self._session = self._session, None
        if session is not None and self._is_quitting:
            session.close(self._parting)
        elif session is not None:
            session.lose()
