"""Our own lines until they are stored: sent in order, kept over lost connections and full disks.

Knows what the server answers to a line. Must not know what rooms hold, nor a clock.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from twistedchat.client.notifications import LineDelayed, LineRefused, LineStored, OutgoingLine

if TYPE_CHECKING:
    from twistedchat.client.messages import Answer
    from twistedchat.client.notifications import JoinedRoom, Listener
    from twistedchat.client.requests import Requests
    from twistedchat.events import Kind

__all__ = ["RESEND_SECONDS", "Outbox"]

RESEND_SECONDS = 2.0
"""Delay before a line that can't be stored now is sent again, in seconds.

A disk stays full for minutes, so a shorter one gains nothing; a person notices a longer one.
Source: chosen.
"""


class Outbox:
    """The lines that the server has not stored or refused for good, in the order said.

    When the server answers ``not-stored`` nothing more is sent until the lines under way are
    answered; after a while the oldest line alone is sent again, and when that one is stored, the
    rest in order. So no line overtakes one that was said before it, but for those that were under
    way already when the first one failed.

    Attributes:
        lines: By key.
    """

    def __init__(self, requests: Requests, notify: Listener) -> None:
        self.lines: dict[str, OutgoingLine] = {}
        self._requests = requests
        self._notify = notify
        self._sent: set[str] = set()
        self._blocked = False

    def say(self, room: JoinedRoom, text: str, kind: Kind) -> OutgoingLine:
        """Put a line behind the others; it is sent as soon as that can be."""
        line = OutgoingLine(room, kind, text.encode(errors="replace").decode(), secrets.token_urlsafe(18))
        self.lines[line.key] = line
        if self._requests.ready and not self._blocked:
            self._send(line)
        return line

    def send_all(self) -> None:
        """Send every line, over a new connection."""
        self._sent.clear()
        self._unblock()

    def answered(self, answer: Answer) -> bool:
        """Take an answer; whether it was one to a line."""
        line = self.lines.get(answer.re) if isinstance(answer.re, str) else None
        if line is None:
            return False
        self._sent.discard(line.key)
        if answer.error is None:
            del self.lines[line.key]
            line.room.stored = int(answer.fields["seq"])
            self._notify(LineStored(line, line.room.stored))
        elif answer.error.code == "not-stored":
            self._blocked = True
            self._notify(LineDelayed(line, answer.error))
        else:
            del self.lines[line.key]
            self._notify(LineRefused(line, answer.error))
        if self._blocked and not self._sent:
            self._go_on(answer)
        return True

    def _go_on(self, answer: Answer) -> None:
        """Nothing is under way: send the rest, or try the oldest again after a while."""
        if answer.error is None:
            self._unblock()
        else:
            self._requests.call_later(RESEND_SECONDS, self._try_again)

    def _try_again(self) -> None:
        oldest = next(iter(self.lines.values()), None)
        if oldest is None:
            self._blocked = False
        else:
            self._send(oldest)

    def _unblock(self) -> None:
        self._blocked = False
        for line in list(self.lines.values()):
            self._send(line)

    def _send(self, line: OutgoingLine) -> None:
        self._sent.add(line.key)
        message = {"op": str(line.kind), "id": line.key, "room": line.room.name, "text": line.text, "key": line.key}
        self._requests.send(message)
