"""One IRC client at one connection: what it sends, one command after another.

Knows sessions and IRC's lines; each family of commands stands in a module of its own. Must not know how bytes are sent,
nor anything of a room but what a session's verbs give back.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from twistedchat.doors.channel import Farewell
from twistedchat.doors.telnet import Mark
from twistedchat.errors import ChatError
from twistedchat.irc.answers import Answer, Said, numeric_of
from twistedchat.irc.entering import names_lines
from twistedchat.irc.errors import FailError
from twistedchat.irc.lines import IrcDecoder
from twistedchat.irc.message import Fault, IrcError, Message, label_tag, parse, write
from twistedchat.irc.outlet import IrcOutlet
from twistedchat.irc.pulse import Pulse
from twistedchat.irc.steps import PRESENCE_CAPS, steps_but, steps_lines
from twistedchat.irc.table import COMMANDS
from twistedchat.visitor import SHOWN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from twisted.internet.defer import Deferred

    from twistedchat.doors.stream import ChatProtocol
    from twistedchat.irc.batches import Multiline
    from twistedchat.irc.commands import Command
    from twistedchat.irc.newcomer import Newcomer
    from twistedchat.rooms.steps import Run

__all__ = ["IrcDoor"]

ANSWER_BYTES = 32 * 2**10
"""Size of the pieces in which a long answer is sent, in bytes, each when the one before has been taken.

Source: half of a page of events (`formats.base.PAGE_BYTES`): what a slow reader costs.
"""


LEAVE_SECONDS = 5.0
"""Longest time for which somebody who leaves a room waits until its lines are shown, in seconds.

Source: as ``PING``'s in docs/irc.md, "Saying".
"""


class IrcDoor(IrcOutlet):
    """One client.

    Args:
        stream: The connection.
        newcomer: What is known of a client that has not registered yet.

    Attributes:
        newcomer: As above; None once it is registered.
        parting: What the others are told when it is gone.
        pulse: When something was heard of it.
        multiline: A message of several lines that it is sending; None before the first one.
    """

    __slots__ = ("_answer", "multiline", "newcomer", "parting", "pulse")

    def __init__(self, stream: ChatProtocol, newcomer: Newcomer) -> None:
        super().__init__(stream)
        self.newcomer: Newcomer | None = newcomer
        self.parting = "Connection closed"
        self.pulse = Pulse(self, stream.port.clock)
        self._answer: Answer | None = None
        self.multiline: Multiline | None = None
        # What was received of a line that has not ended is cut from now on as IRC's.
        rest = stream.decoder.end()
        stream.decoder = IrcDecoder()
        if isinstance(rest, bytes):
            stream.decoder.feed(rest)

    # -- what it asks ----------------------------------------------------------------------------

    def request(self, request: bytes | Mark) -> Coroutine[Deferred[Any], Any, None] | None:
        """Do what a line says."""
        self.pulse.heard()
        if isinstance(request, Mark):
            if request is Mark.TOO_LONG:
                self.numeric("417", _TOO_LONG)
            return None
        try:
            message = parse(request)
        except IrcError as error:
            self._unreadable(error)
            return None
        return self._do(message) if message.command else None

    def _do(self, message: Message) -> Coroutine[Deferred[Any], Any, None] | None:
        answer = self._answer = Answer(self.server, label_tag(self._label(message)), self._wire.write)
        answering = None
        try:
            command = self._command(message)
            if command is not None and self.unanswered and not command.is_talk:
                answering = self._after_lines(command, message)
            elif command is not None:
                answering = command.run(self, message)
        except (ChatError, FailError) as error:
            self.refuse(error, message)
        if answering is None:
            self._answer = None
            answer.finish()
            return None
        return self._answered_later(answering, message, answer)

    def _label(self, message: Message) -> str:
        return message.tags.get("label", "") if "labeled-response" in self.caps else ""

    def _command(self, message: Message) -> Command | None:
        """The command of a line, if it can be done."""
        word = message.command.upper()
        command = COMMANDS.get(word)
        if self.newcomer is not None and (command is None or not command.is_early):
            self.numeric("451", "Register first, with NICK and USER.")
        elif command is None:
            self.numeric("421", word, f"There is no command {word} here.")
        elif len(message.params) < command.least:
            self.numeric("461", word, "More parameters are needed.")
        else:
            return command
        return None

    async def _after_lines(self, command: Command, message: Message) -> None:
        """Do a command when every line that was said before it is stored or refused."""
        await self.until(lambda: not self.unanswered)
        answering = command.run(self, message)
        if answering is not None:
            await answering

    async def _answered_later(
        self, answering: Coroutine[Deferred[Any], Any, None], message: Message, answer: Answer
    ) -> None:
        try:
            await answering
        except (ChatError, FailError) as error:
            self.refuse(error, message)
        finally:
            self._answer = None
        answer.finish()

    def _unreadable(self, error: IrcError) -> None:
        """Nothing of a line can be done."""
        message = error.message
        tags = label_tag(self._label(message))
        if error.fault is Fault.TOO_LONG:
            self._wire.write(write(self.server, "417", self.nick, _TOO_LONG, tags=tags))
        else:
            text = "That line was not UTF-8, and nothing of it was done."
            word = message.command.upper() or "*"
            self._wire.write(write(self.server, "FAIL", word, "INVALID_UTF8", text, tags=tags))

    # -- answers ---------------------------------------------------------------------------------

    def begin_answer(self) -> None:
        """The command that is being done is answered by several lines, and between them other things are shown."""
        if self._answer is not None:
            self._answer.begin()

    def gathering(self) -> AbstractContextManager[None]:
        """Lines of the answer that are sent within go out together at its end: nothing may be waited for."""
        return nullcontext() if self._answer is None else self._answer.gathering()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Nothing of a room is shown meanwhile; call `Session.show_all` afterwards."""
        self.is_held = True
        try:
            yield
        finally:
            self.is_held = False

    async def send_all(self, lines: Iterable[bytes]) -> None:
        """Send the lines of an answer, in pieces of some size, each when the client has taken the one before."""
        piece: list[bytes] = []
        size = 0
        for line in lines:
            piece.append(line)
            size += len(line)
            if size >= ANSWER_BYTES:
                await self._send_piece(piece)
                piece, size = [], 0
        await self._send_piece(piece)

    async def _send_piece(self, piece: Sequence[bytes]) -> None:
        await self.flow()
        with self.gathering():
            for line in piece:
                self.send(line)

    def send(self, line: bytes) -> None:
        """Send a line as a part of the answer to the command that is being done, or by itself if there is none."""
        if self._answer is not None:
            self._answer.send(line)
        else:
            self._wire.write(line)

    def open_batch(self, line: bytes) -> None:
        """Begin a batch that is the whole answer to the command that is being done."""
        if self._answer is not None:
            self._answer.open_batch(line)
        else:
            self._wire.write(line)

    def numeric(self, number: str, *params: str) -> None:
        """Answer with a numeric."""
        self.send(write(self.server, number, self.nick, *params))

    def tell(self, source: str, command: str, *params: str) -> None:
        """Answer with a line of somebody, or of the server, with the time for those who want it."""
        self.send(write(source, command, *params, tags=self.format.stamp(self.now)))

    def fail(self, command: str, code: str, *context: str, text: str) -> None:
        """Answer that something can't be done: a word for programs, and a sentence.

        Those who use what such answers belong to are told so without having asked for others (IRCv3, standard-replies).
        """
        self.send(write(self.server, "FAIL", command, code, *context, text))

    def refuse(self, error: ChatError | FailError, message: Message) -> None:
        """Answer that a command can't be done."""
        if isinstance(error, FailError):
            self.fail(error.command, error.code, *error.context, text=error.text)
        elif error.code != "lost":
            self.numeric(numeric_of(error), *(message.params[:1] or [message.command.upper()]), error.text)

    def line_of(self, message: Message, target: str) -> Said:
        """A line that is about to be said; its label is not answered with the command, but when it is stored."""
        if self._answer is not None:
            self._answer.is_deferred = True
        return Said(message.command.upper(), target, self._label(message))

    async def until(self, done: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait until what was stored, shown or taken has made this so, but no longer than so many seconds."""
        await self.waiting.until(done, seconds)

    async def until_shown(self) -> None:
        """Wait until what was said is shown to all, not to this client alone: then it may go, or take another name."""
        clock = self.stream.port.clock
        end = clock.seconds() + LEAVE_SECONDS
        while self.session.is_being_shown and clock.seconds() < end:
            await self.until(lambda: not self.session.is_being_shown, SHOWN_SECONDS)

    async def flow(self) -> None:
        """Wait until the client has taken what it was sent, if it has not."""
        if self._wire.full:
            await self.until(lambda: not self._wire.full)

    def may_see_address(self, name: str) -> bool:
        """Whether the client may know from where somebody is connected: it may of itself, and operators may of all."""
        return name == self.session.name or "o" in self.session.profile.modes

    def reference(self) -> str:
        """The reference of a batch that is about to be sent, unlike any other's that is open."""
        return f"b{self.hub.draft_id().rpartition('-')[2]}"

    def change_caps(self, caps: frozenset[str]) -> None:
        """The client is shown everything by these from now on; nothing is lost or doubled at the change."""
        self.set_caps(caps)
        for room in self.session.rooms:
            self.session.show_as(room, self.format)
        self.session.show_all()

    def left(self, room: str) -> None:
        """The client has left a room."""
        self._forget(room)

    # -- who is here -----------------------------------------------------------------------------

    def show_steps(self, room: str, run: Run, known: Sequence[int]) -> bool:
        """Write who came, went and changed, if nothing waits to be written."""
        if self.full:
            return False
        data = steps_but(steps_lines(run, room, self.format, self.caps & PRESENCE_CAPS), known)
        if data:
            self._wire.write(data)
        return True

    def show_anew(self, room: str) -> bool:
        """Write that the client is in a room, and all who are; programs then begin their list again."""
        if self.full:
            return False
        extended = ("*", self.session.profile.real) if "extended-join" in self.caps else ()
        own = write(self.source, "JOIN", f"#{room}", *extended, tags=self.format.stamp(self.now))
        self._wire.write(b"".join([own, *names_lines(self, room, self.session.names_in(room))]))
        return True

    # -- the connection --------------------------------------------------------------------------

    def leave(self, parting: str) -> None:
        """The client leaves for good: when all that it said is stored and answered, the connection closes."""
        self.parting = parting
        self.session.end()
        self.stream.channel.finish(Farewell(text=parting))

    def lost(self) -> None:
        """The connection is gone, or about to go."""
        self.pulse.stop()
        if self.arrivals is not None:
            self.arrivals.stop()
        if self.multiline is not None:
            self.multiline.stop()
        self.hub.people.watching.forget(self)
        self.waiting.wake()
        if self.session.outlet is not self:
            # It is another connection's by now, or has ended.
            return
        if self.session.token:
            self.session.lose()
        else:
            self.session.close("Connection lost" if self._wire.has_stalled else self.parting)


_TOO_LONG = "That line was too long, and nothing of it was done: a line has at most 512 bytes, its tags 4,096."
