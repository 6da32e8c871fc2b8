"""The client in a pipe: input lines are said, events are written, the exit status tells.

Must not know a socket or a terminal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.conversation import Conversation
from twistedchat.client.messages import Removal, Tell
from twistedchat.client.notifications import (
    Disconnected,
    JoinMerged,
    JoinRefused,
    LineDelayed,
    LineRefused,
    LineStored,
    LogReset,
    Stopped,
    news_of,
)
from twistedchat.client.pipe_output import JsonOutput, PlainOutput
from twistedchat.events import Event
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from twistedchat.client.notifications import JoinedRoom, Notification
    from twistedchat.client.stdio import Stream

__all__ = ["MAX_UNSTORED", "PATIENCE_SECONDS", "Pipe"]

MAX_UNSTORED = 512
"""High-water mark of lines that are said and not stored yet; at it the input is not read, down to half of it.

Enough to fill the server's batches at a round trip of 25 ms and 20,000 lines a second (docs/capacity.md).
"""

PATIENCE_SECONDS = 60.0
"""Timeout of the next line to be stored after the end of the input, in seconds.

A restart of the server takes a few; a person at a shell waits no longer. Source: docs/client.md.
"""


@dataclass(slots=True)
class _Report:
    """What went wrong.

    Attributes:
        refusals: Why lines were not stored, each sentence once, in order.
        delay: Why lines can't be stored now, or "".
        interrupted: Whether the person has ended it.
    """

    refusals: dict[str, None] = field(default_factory=dict)
    delay: str = ""
    interrupted: bool = False

    def add(self, sentence: str) -> None:
        """Something went wrong."""
        self.refusals[sentence] = None

    def text(self, unstored: int) -> str:
        """Sentences that say why not all was stored; "" if nothing went wrong, or the person knows."""
        if self.refusals or self.interrupted or not unstored:
            return " ".join(self.refusals)
        lines = "1 line was" if unstored == 1 else f"{unstored:,} lines were"
        return f"{lines} not stored: {self.delay or 'the server does not answer.'}"


@dataclass(slots=True)
class _End:
    """How far the end has come.

    Attributes:
        input: There will be no more input.
        output: Nobody reads the output any more.
        waited: The time to stay after the end of the input is over.
    """

    input: bool = False
    output: bool = False
    waited: bool = False


class Pipe:
    """Says the input, and writes events; the user of a `Stream`.

    Args:
        reactor: For the time.
        name: The name to go by.
        numbered: If the name is taken, take it with a number.
        as_json: Write events as they are on the wire.
        wait_seconds: How long to stay after the end of the input; may be infinite.
        saw: Is told of every event that was written.
        warn: Is told sentences that are neither output nor errors.

    Attributes:
        conversation: The conversation.
        room: Where lines are said; to be set before the first comes.
        stream: To be set before anything happens.
        done: Fires when there is nothing more to do.
    """

    room: JoinedRoom
    stream: Stream

    def __init__(
        self,
        reactor: IReactorTime,
        name: str,
        *,
        numbered: bool = False,
        as_json: bool = False,
        wait_seconds: float = 0.0,
        saw: Callable[[str, int], None] = lambda _room, _seq: None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.conversation = Conversation(name, self._notified, numbered=numbered)
        self.done: Deferred[None] = Deferred()
        self._reactor = reactor
        self._output = JsonOutput() if as_json else PlainOutput()
        self._wait_seconds = wait_seconds
        self._saw = saw
        self._warn = warn
        self._report = _Report()
        self._end = _End()
        self._patience: IDelayedCall | None = None

    @property
    def unstored(self) -> int:
        """How many lines are not stored yet."""
        return len(self.conversation.unstored)

    @property
    def trouble(self) -> str:
        """Sentences that say why not all was stored; "" if nothing went wrong."""
        return self._report.text(self.unstored)

    # -- the user of stdio -----------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """Say a line as it is: in a pipe nothing is a command."""
        self.conversation.say(self.room, text)
        if self.unstored == MAX_UNSTORED:
            self.stream.pause_input()

    def ended(self) -> None:
        """Wait for what is to be waited for, and be done."""
        self._end.input = True
        if self._wait_seconds < math.inf:
            self._reactor.callLater(self._wait_seconds, self._has_waited)
        self._be_patient()

    def closed(self) -> None:
        """Nobody reads any more: read no more either, and be done when all that came in is stored."""
        self.stream.pause_input()
        self._end.input = self._end.output = True
        self._has_waited()
        self._be_patient()

    def full(self) -> None:
        """The output is not taken."""
        self.conversation.hold()

    def drained(self) -> None:
        """The output is taken again."""
        self.conversation.go_on()

    # -- being done ------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Be done now, as the person wants it."""
        self._report.interrupted = True
        self.finish()

    def fail(self, failure: Failure) -> None:
        """Something else went wrong: be done, and say so."""
        self._give_up(str(getattr(failure.value, "text", failure.value)))

    def _give_up(self, sentence: str) -> None:
        self._report.add(sentence)
        self.finish()

    def finish(self) -> None:
        """Be done, whatever is left."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if not self.done.called:
            self.stream.pause_input()
            self.done.callback(None)

    def _has_waited(self) -> None:
        self._end.waited = True
        self._check_done()

    def _check_done(self) -> None:
        is_over = self._end.input and self._end.waited and not self.unstored
        if is_over and (self._end.output or self.room.shows_own):
            self.finish()

    def _be_patient(self) -> None:
        """Give up if nothing more is stored for long, though there is nothing else to wait for."""
        if self._patience is not None:
            self._patience.reset(PATIENCE_SECONDS)
        elif self._end.input and not self.done.called:
            self._patience = self._reactor.callLater(PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        if self.unstored:
            self.finish()

    # -- notifications ----------------------------------------------------------------------------

    def _notified(self, notification: Notification) -> None:
        match notification:
            case Event():
                self.stream.write(self._output.event(notification, here=self.room.name))
                self._saw(notification.room, notification.seq)
                self._check_done()
            case Tell():
                self.stream.write(self._output.tell(notification))
            case Change():
                self.stream.write(self._output.change(notification, here=self.room.name))
            case LineStored():
                self._report.delay = ""
                self._settled()
            case LineDelayed(_, error):
                self._report.delay = error.text
            case LineRefused(_, error):
                self._report.add(error.text)
                self._settled()
            case JoinMerged(asked, room) if asked is self.room:
                self.room = room
            case Removal(room=name) if name == self.room.name:
                self._give_up(notification.text)
            case JoinRefused(room, error):
                self._report.add(error.text)
                if room is self.room:
                    self.finish()
            case LogReset() | Disconnected() if news := news_of(notification):
                self._warn(news)
            case Stopped(error):
                self._give_up(error.text)

    def _settled(self) -> None:
        """A line is stored or refused."""
        if self.unstored == MAX_UNSTORED // 2 and not self._end.input:
            self.stream.resume_input()
        if self._patience is not None:
            self._be_patient()
        self._check_done()
