"""Private lines: what was acknowledged arrived, exactly once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.checker.judge.records import mark_of

if TYPE_CHECKING:
    from benchmarks.checker.judge.stays import Stays
    from benchmarks.checker.judge.verdict import Verdict

__all__ = ["Tells"]

ARRIVING_SECONDS = 3.0
"""Time in which an acknowledged private line is on its way to a connection that may be lost meanwhile, in seconds.

Source: chosen; a wake-up takes milliseconds, and the beat that makes good for a lost one 2 s.
"""


@dataclass(slots=True)
class _Tell:
    text: str
    sender: str
    to: str
    sent_at: float
    stored_at: float | None = None
    arrived: int = 0


class Tells:
    """All private lines, by their marks.

    Args:
        verdict: Is told what is wrong.
        stays: Knows who was here when.
    """

    def __init__(self, verdict: Verdict, stays: Stays) -> None:
        self._verdict = verdict
        self._stays = stays
        self._tells: dict[str, _Tell] = {}
        self.count = 0

    def sent(self, text: str, sender: str, to: str, now: float) -> None:
        """A private line is sent; no two have the same first word."""
        self.count += 1
        self._tells[mark_of(text)] = _Tell(text, sender, to, now)

    def stored(self, text: str, now: float) -> None:
        """Its sender is told that it arrives."""
        tell = self._tells.get(mark_of(text))
        if tell is not None:
            tell.stored_at = now

    def arrived(self, text: str, who: str, at: str) -> None:
        """A connection is told something.

        Args:
            text: What; in plain text at least its mark is as it was sent.
            who: By whom, as the receiver is told.
            at: The receiver's name.
        """
        tell = self._tells.get(mark_of(text))
        if tell is None:
            self._verdict.against("never-told", text, f"{at} was told {text!r} by {who}: nobody sent it, or long ago")
            return
        tell.arrived += 1
        if tell.arrived > 1:
            self._verdict.against("tell-doubled", mark_of(text), f"{at} was told {tell} twice")
        if (tell.to, tell.sender) != (at, who):
            self._verdict.against("tell-astray", mark_of(text), f"{at} was told {tell} by {who}")

    def at_rest(self, now: float, late: float = 0.0) -> None:
        """Nothing is on its way any more: judge those that have had their time, and forget them.

        Args:
            now: The time.
            late: As `Stays.was_here` takes it.
        """
        for mark, tell in list(self._tells.items()):
            if now - (tell.stored_at or tell.sent_at) < ARRIVING_SECONDS:
                continue
            if tell.stored_at is not None and not tell.arrived:
                self._judge_lost(mark, tell, tell.stored_at, late)
            # A doubled one may come late.
            if now - tell.sent_at > 10 * ARRIVING_SECONDS:
                del self._tells[mark]

    def _judge_lost(self, mark: str, tell: _Tell, stored_at: float, late: float) -> None:
        if self._stays.was_here(tell.to, tell.sent_at, stored_at, late) is False:
            self._verdict.against("tell-to-nobody", mark, f"{tell} was acknowledged, and {tell.to} was not connected")
        elif self._stays.was_here(tell.to, tell.sent_at, stored_at + ARRIVING_SECONDS):
            self._verdict.against("tell-lost", mark, f"{tell} was acknowledged, and did not arrive")
