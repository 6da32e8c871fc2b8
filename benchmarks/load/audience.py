"""Everybody in one room: what they were to receive, and whether they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.checks import Verdict, judge
from benchmarks.load.ears import Counter, Reader, Teller

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        copies: How many deliveries one line makes, on average.

    Args:
        crowd: All connections.
        senders: Those who talk, in turns.
        listeners: All others.
        dialect: How the server is spoken to.
        rate: Lines a second.
        ignoring: The index of the sender whose lines a seat is not shown; most seats are not in it.
    """

    def __init__(
        self,
        crowd: Crowd,
        senders: Sequence[Seat],
        listeners: Sequence[Seat],
        dialect: Dialect,
        rate: float,
        ignoring: Mapping[Seat, int] | None = None,
    ) -> None:
        self._dialect = dialect
        self._ignoring = ignoring or {}
        self.copies = len(senders) + len(listeners) - (not dialect.echoes) - len(self._ignoring) / len(senders)
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
        """Of all lines, the share that those who talk are shown, on average."""
        count = len(self._tellers)
        ignored = sum(teller.seat in self._ignoring for teller in self._tellers)
        return 1 - (not self._dialect.echoes) / count - ignored / count**2

    def _line_bytes(self) -> float:
        lines = sum(len(reader.numbers()) for reader in self._readers)
        return sum(reader.bytes for reader in self._readers) / lines if lines else float("inf")

    def complete(self, total: int) -> bool:
        """Whether everybody has all that was said."""
        return (
            all(teller.newlines >= self._newlines(total, n) for n, teller in enumerate(self._tellers))
            and all(len(reader.numbers()) >= self._due(reader.seat, total) for reader in self._readers)
            and all(counter.bytes >= expected for counter, expected in self._bytes_expected(total))
        )

    def _due(self, seat: Seat, total: int) -> int:
        """How many of all lines a seat is to be shown if its own are among them."""
        return total - (self._said_by(self._ignoring[seat], total) if seat in self._ignoring else 0)

    def _said_by(self, index: int, total: int) -> int:
        return len(range(index, total, len(self._tellers)))

    def _newlines(self, total: int, index: int) -> int:
        """How many line ends the sender of this index is to receive."""
        own = self._said_by(index, total)
        shown = self._due(self._tellers[index].seat, total) - (not self._dialect.echoes) * own
        return shown * self._dialect.newlines_per_line + own * self._dialect.newlines_per_answer

    def verdict(self, total: int) -> Verdict:
        """What all of them together lost, received twice, or saw in another order."""
        found = sum((self._judged(reader, total) for reader in self._readers), Verdict())
        line_bytes = self._line_bytes()
        for counter, expected in self._bytes_expected(total):
            found += _surplus(counter.bytes, expected, line_bytes)
        for index, teller in enumerate(self._tellers):
            found += _surplus(teller.newlines, self._newlines(total, index), self._dialect.newlines_per_line)
        return found

    def _judged(self, reader: Reader, total: int) -> Verdict:
        ignored = self._ignoring.get(reader.seat)
        return judge(reader.numbers(), total, len(self._tellers), ignored=ignored)

    def _bytes_expected(self, total: int) -> list[tuple[Counter, float]]:
        """For each who is counted: what the best reader has, and what it lacks or has twice; less what one ignores."""
        best = max(self._readers, key=lambda reader: len(set(reader.numbers())))
        line_bytes = self._line_bytes() if best.numbers() else 0.0
        whole = best.bytes + (total - len(best.numbers())) * line_bytes
        ignored = ((counter, total - self._due(counter.seat, total)) for counter in self._counters)
        return [(counter, whole - lines * line_bytes) for counter, lines in ignored]

    def same_order(self) -> bool:
        """Whether all readers saw the lines in one order, as far as they got, but for senders that one ignores."""
        count = len(self._tellers)
        apart = {self._ignoring.get(reader.seat) for reader in self._readers}
        shown = [[number for number in reader.numbers() if number % count not in apart] for reader in self._readers]
        shortest = min(map(len, shown))
        return all(numbers[:shortest] == shown[0][:shortest] for numbers in shown)

    def delays(self, scheduled: float, rate: float, first: int) -> list[float]:
        """The seconds of all readers, in ascending order: see `Reader.delays`."""
        return sorted(delay for reader in self._readers for delay in reader.delays(scheduled, rate, first))

    def longest_gap(self, since: float) -> float:
        """The longest time in seconds in which nothing was shown to a reader between two lines."""
        return max(reader.longest_gap(since) for reader in self._readers)


def _surplus(received: float, expected: float, per_line: float) -> Verdict:
    """Too much means doubled lines, too little lost ones; any difference is at least one line."""
    amount = received - expected
    if abs(amount) < 0.5:
        return Verdict()
    lines = max(1, round(abs(amount) / per_line))
    return Verdict(doubled=lines) if amount > 0 else Verdict(lost=lines)
