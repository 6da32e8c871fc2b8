"""The client in a pipe: lines that come in are said, what happens is written, the exit status tells.

Must not know a socket or a terminal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.conversation import Conversation
from twistedchat.client.happenings import KeptOut, Refused, Stored, Tell
from twistedchat.client.terminal import PlainLines
from twistedchat.events import Event
from twistedchat.formats.base import Change
from twistedchat.formats.jsonl import event_json, iso, to_line
from twistedchat.formats.plain import PlainFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from twistedchat.client.happenings import Happening, Room
    from twistedchat.client.stdio import Stream

__all__ = ["MAX_UNSTORED", "PATIENCE_SECONDS", "Pipe"]

MAX_UNSTORED = 512
"""So many lines are said ahead of the server's word that they are stored; then the input waits."""

PATIENCE_SECONDS = 60.0
"""After the end of the input, so long is waited for the next line to be stored."""

NOT_STORED_AGAIN_SECONDS = 2.0
"""A line that the server could not store now is said again after so long."""


class Pipe:
    """Says what comes in, and writes what happens; the user of a `Stream`.

    Args:
        reactor: For the time.
        name: The name to go by.
        numbered: If the name is taken, take it with a number.
        as_json: Write events as they are on the wire.
        wait_seconds: Stay for so long after the end of the input; may be infinite.
        saw: Is told of every event that was written.

    Attributes:
        conversation: The conversation.
        room: Where lines are said; to be set before the first comes.
        stream: To be set before anything happens.
        done: Fires when there is nothing more to do.
        refusals: Why lines were not stored, each sentence once, in order.
    """

    room: Room
    stream: Stream

    def __init__(
        self,
        reactor: IReactorTime,
        name: str,
        *,
        numbered: bool = False,
        as_json: bool = False,
        wait_seconds: float = 0.0,
        saw: Callable[[str, int], None] | None = None,
    ) -> None:
        self.conversation = Conversation(name, self._happened, numbered=numbered)
        self.done: Deferred[None] = Deferred()
        self.refusals: dict[str, None] = {}
        self._reactor = reactor
        self._as_json = as_json
        self._wait_seconds = wait_seconds
        self._saw = saw
        self._lines = PlainLines()
        self._ended = False
        self._closed = False
        self._waited = False
        self._paused = False
        self._interrupted = False
        self._patience: IDelayedCall | None = None
        self._pending: set[IDelayedCall] = set()

    @property
    def unstored(self) -> int:
        """How many lines are not stored yet."""
        return len(self.conversation.unstored) + len(self._pending)

    # -- the user of stdio -----------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """Say a line as it is: in a pipe nothing is a command."""
        self.conversation.say(self.room, text)
        if self.unstored >= MAX_UNSTORED and not self._paused:
            self._paused = True
            self.stream.pause_input()

    def ended(self) -> None:
        """Wait for what is to be waited for, and be done."""
        self._ended = True
        if self._wait_seconds < math.inf:
            self._reactor.callLater(self._wait_seconds, self._has_waited)
        self._be_patient()

    def closed(self) -> None:
        """Nobody reads any more: read no more either, and be done when all that came in is stored."""
        self.stream.pause_input()
        self._ended = self._closed = True
        self._has_waited()
        self._be_patient()

    def full(self) -> None:
        """The output is not taken."""
        self.conversation.hold()

    def drained(self) -> None:
        """The output is taken again."""
        self.conversation.go_on()

    @property
    def trouble(self) -> str:
        """Sentences that say why not all was stored; "" if nothing went wrong."""
        if self.refusals or self._interrupted or not self.unstored:
            return " ".join(self.refusals)
        lines = "1 line was" if self.unstored == 1 else f"{self.unstored:,} lines were"
        return f"{lines} not stored: the server does not answer."

    def interrupt(self) -> None:
        """Be done now, as the person wants it."""
        self._interrupted = True
        self.finish()

    def fail(self, failure: Failure) -> None:
        """Something else went wrong: be done, and say so."""
        self.refusals[str(getattr(failure.value, "text", failure.value))] = None
        self.finish()

    def finish(self) -> None:
        """Be done, whatever is left."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if not self.done.called:
            self.stream.pause_input()
            self.done.callback(None)

    # -- being done ------------------------------------------------------------------------------

    def _has_waited(self) -> None:
        self._waited = True
        self._check_done()

    def _check_done(self) -> None:
        if self._ended and self._waited and not self.unstored and (self._closed or self.room.shows_own):
            self.finish()

    def _be_patient(self) -> None:
        """Give up if nothing more is stored for long, though there is nothing else to wait for."""
        if self._patience is not None:
            self._patience.reset(PATIENCE_SECONDS)
        elif self._ended and not self.done.called:
            self._patience = self._reactor.callLater(PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        if self.unstored:
            self.finish()

    # -- what happens ----------------------------------------------------------------------------

    def _happened(self, happening: Happening) -> None:
        match happening:
            case Event():
                self._write_event(happening)
                self._check_done()
            case Tell(who, text, at):
                self._write_tell(who, text, at)
            case Change(room=room) if not self._as_json:
                self.stream.write(self._lines.change(happening, self._format(room)))
            case Stored():
                self._settled()
            case Refused(line, error) if error.code == "not-stored":
                self._say_again(line.room, line.text)
            case Refused(_, error):
                self.refusals[error.text] = None
                self._settled()
            case KeptOut(room, error):
                self.refusals[error.text] = None
                if room is self.room:
                    self.finish()

    def _settled(self) -> None:
        if self._paused and self.unstored <= MAX_UNSTORED // 2:
            self._paused = False
            self.stream.resume_input()
        if self._patience is not None:
            self._be_patient()
        self._check_done()

    def _say_again(self, room: Room, text: str) -> None:
        def again() -> None:
            self._pending.discard(call)
            self.conversation.say(room, text)

        call = self._reactor.callLater(NOT_STORED_AGAIN_SECONDS, again)
        self._pending.add(call)

    # -- what is written -------------------------------------------------------------------------

    def _write_event(self, event: Event) -> None:
        if self._as_json:
            self.stream.write(event_json(event) + "\n")
        else:
            self.stream.write(self._lines.events([event], self._format(event.room)))
        if self._saw is not None:
            self._saw(event.room, event.seq)

    def _write_tell(self, who: str, text: str, at: int) -> None:
        if self._as_json:
            self.stream.write(to_line({"type": "tell", "who": who, "text": text, "at": iso(at)}).decode())
        else:
            self.stream.write(self._lines.told(f"{who} tells you: {text}"))

    def _format(self, room: str) -> PlainFormat:
        return PlainFormat(with_room=room != self.room.name)
