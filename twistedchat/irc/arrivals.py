"""What of all that a client was shown is known to have arrived: it is asked by ``PING``, and says so by ``PONG``.

Knows the time, and a session's places in its rooms. Must not know what is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.irc.message import write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.session import Session

__all__ = ["ASK_SECONDS", "PROBE_SECONDS", "Arrivals"]

ASK_SECONDS = 30.0
"""Longest time between showing something and asking whether it has arrived, in seconds.

Source: docs/irc.md, "Coming back": so much may come twice.
"""

PROBE_SECONDS = 5.0
"""Time in which a client answers whose name somebody else wants to have, in seconds. Source: as above."""

MAX_ASKED = 8
"""Most questions that are not answered yet. Source: a client that answers none for 150 s is let go, so there are 5."""


class Arrivals:
    """Of one connection of a session that is taken up by name and word.

    Args:
        session: The person.
        clock: For the time.
        send: Sends bytes to the client.
    """

    __slots__ = ("_asked", "_clock", "_number", "_probes", "_send", "_session", "_timer")

    def __init__(self, session: Session, clock: IReactorTime, send: Callable[[bytes], None]) -> None:
        self._session = session
        self._clock = clock
        self._send = send
        self._number = 0
        # By what is to come back: how far each room had been shown when it was sent.
        self._asked: dict[str, Mapping[str, int]] = {}
        self._probes: list[Deferred[bool]] = []
        self._timer: IDelayedCall | None = None

    def shown(self) -> None:
        """Something was shown: ask whether it has arrived, in a while."""
        if self._timer is None:
            self._timer = self._clock.callLater(ASK_SECONDS, self._ask)

    def answered(self, words: Sequence[str]) -> None:
        """The client has sent a ``PONG`` with these words."""
        for word in words:
            shown = self._asked.get(word)
            if shown is not None:
                self._session.confirm(shown)
                # What was asked before has arrived, too.
                for each in list(self._asked):
                    del self._asked[each]
                    if each == word:
                        break
                self._end_probes(is_there=True)

    async def is_there(self) -> bool:
        """Ask the client whether it is there; False if it does not answer, or goes."""
        probe: Deferred[bool] = Deferred()
        self._probes.append(probe)
        timer = self._clock.callLater(PROBE_SECONDS, self._give_up, probe)
        self._send_ping()
        try:
            return await probe
        finally:
            if timer.active():
                timer.cancel()
            if probe in self._probes:
                # Whoever asked is gone.
                self._probes.remove(probe)

    def stop(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end_probes(is_there=False)

    def _give_up(self, probe: Deferred[bool]) -> None:
        self._probes.remove(probe)
        probe.callback(False)

    def _end_probes(self, *, is_there: bool) -> None:
        probes, self._probes = self._probes, []
        for probe in probes:
            if not probe.called:
                probe.callback(is_there)

    def _ask(self) -> None:
        self._timer = None
        self._send_ping()

    def _send_ping(self) -> None:
        self._number += 1
        word = f"seen-{self._number}"
        if len(self._asked) >= MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        self._asked[word] = self._session.shown()
        self._send(write("", "PING", word))
