"""Everybody in one room: what they were to receive, and whether they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.checks import Verdict, judge
from benchmarks.load.ears import Counter, Reader, Teller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.dialects import Dialect
    from benchmarks.load.crowd import Crowd, Seat

__all__ = ["Audience"]

READ_LINES_PER_SECOND = 60_000
"""How many lines a second are read one by one; more would make the generator the bottleneck."""
FEWEST_READERS = 3


class Audience:
    """The members of one room during one stage.

    Some, spread evenly over the order of joining, read every line; those who talk count line ends;
    all others are counted in bytes and compared with a reader.

    Attributes:
        copies: How many deliveries one line makes.
    """

    def __init__(
        self, crowd: Crowd, senders: Sequence[Seat], listeners: Sequence[Seat], dialect: Dialect, rate: float
    ) -> None:
        self._dialect = dialect
        self.copies = len(senders) + len(listeners) - (not dialect.echoes)
        wanted = min(len(listeners), max(FEWEST_READERS, int(READ_LINES_PER_SECOND / rate)))
        # The first and the last of the room are among them.
        chosen = {round(n * (len(listeners) - 1) / max(1, wanted - 1)) for n in range(wanted)}
        self._readers = [Reader(seat) for n, seat in enumerate(listeners) if n in chosen]
        self._counters = [Counter(seat) for n, seat in enumerate(listeners) if n not in chosen]
        self._tellers = [Teller(seat) for seat in senders]
        prompt: list[Reader | Teller] = [*self._readers, *self._tellers]
        for ear in prompt:
            crowd.listen(ear.seat, ear)
        for counter in self._counters:
            crowd.listen(counter.seat, counter, lazily=True)

    def received(self) -> tuple[int, int]:
        """How much has come: bytes to those who listen, line ends to those who talk."""
        return (
            sum(reader.bytes for reader in self._readers) + sum(counter.bytes for counter in self._counters),
            sum(teller.newlines for teller in self._tellers),
        )

    def deliveries(self, received: tuple[int, int]) -> float:
        """As many lines as that was; answers to those who talk are no deliveries."""
        heard_bytes, newlines = received
        share = self._shown_share()
        per_line = self._dialect.newlines_per_line * share + self._dialect.newlines_per_answer / len(self._tellers)
        return heard_bytes / self._line_bytes() + (newlines / per_line * share if share else 0.0)

    def _shown_share(self) -> float:
        """Of all lines, the share that each who talks is shown."""
        return 1.0 if self._dialect.echoes else 1 - 1 / len(self._tellers)

    def _line_bytes(self) -> float:
        lines = sum(len(reader.numbers()) for reader in self._readers)
        return sum(reader.bytes for reader in self._readers) / lines if lines else float("inf")

    def complete(self, total: int) -> bool:
        """Whether everybody has all that was said."""
        return (
            all(teller.newlines >= self._newlines(total, n) for n, teller in enumerate(self._tellers))
            and all(len(reader.numbers()) >= total for reader in self._readers)
            and all(counter.bytes >= self._readers[0].bytes for counter in self._counters)
        )

    def _newlines(self, total: int, index: int) -> int:
        """How many line ends the sender of this index is to receive."""
        own = len(range(index, total, len(self._tellers)))
        shown = total if self._dialect.echoes else total - own
        return shown * self._dialect.newlines_per_line + own * self._dialect.newlines_per_answer

    def verdict(self, total: int) -> Verdict:
        """What all of them together lost, received twice, or saw in another order."""
        found = sum((judge(reader.numbers(), total, len(self._tellers)) for reader in self._readers), Verdict())
        expected, line_bytes = self._bytes_expected(total), self._line_bytes()
        for counter in self._counters:
            found += _surplus(counter.bytes, expected, line_bytes)
        for index, teller in enumerate(self._tellers):
            found += _surplus(teller.newlines, self._newlines(total, index), self._dialect.newlines_per_line)
        return found

    def _bytes_expected(self, total: int) -> float:
        """What the best reader has, and what it lacks or has twice, in bytes."""
        best = max(self._readers, key=lambda reader: len(set(reader.numbers())))
        return best.bytes + (total - len(best.numbers())) * self._line_bytes() if best.numbers() else 0.0

    def same_order(self) -> bool:
        """Whether all readers saw the lines of all senders in one order, as far as they got."""
        shortest = min(len(reader.numbers()) for reader in self._readers)
        first = self._readers[0].numbers()[:shortest]
        return all(reader.numbers()[:shortest] == first for reader in self._readers)

    def delays(self, scheduled: float, rate: float, first: int) -> list[float]:
        """The seconds of all readers, in ascending order: see `Reader.delays`."""
        return sorted(delay for reader in self._readers for delay in reader.delays(scheduled, rate, first))


def _surplus(received: float, expected: float, per_line: float) -> Verdict:
    """Too much means doubled lines, too little lost ones; any difference is at least one line."""
    amount = received - expected
    if abs(amount) < 0.5:
        return Verdict()
    lines = max(1, round(abs(amount) / per_line))
    return Verdict(doubled=lines) if amount > 0 else Verdict(lost=lines)
