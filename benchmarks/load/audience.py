"""Everybody in one room: what they were to receive, and whether they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.checks import Verdict, judge
from benchmarks.load.ears import Counter, Reader, Teller

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.dialects import Dialect
    from benchmarks.load.crowd import Crowd, Seat

__all__ = ["Audience"]

READ_LINES_PER_SECOND = 60_000
"""How many lines a second are read one by one; more would make the generator the bottleneck."""
FEWEST_READERS = 3


class _Sort:
    """Those who only listen and speak one dialect, and so are sent the same bytes.

    Attributes:
        readers: Some, spread evenly over the order of joining, who read every line.
        counters: All others, who are counted in bytes and compared with a reader.
    """

    def __init__(self, seats: Sequence[Seat], readers: int) -> None:
        wanted = min(len(seats), max(FEWEST_READERS, readers))
        # The first and the last are among them.
        chosen = {round(n * (len(seats) - 1) / max(1, wanted - 1)) for n in range(wanted)}
        self.readers = [Reader(seat) for n, seat in enumerate(seats) if n in chosen]
        self.counters = [Counter(seat) for n, seat in enumerate(seats) if n not in chosen]

    @property
    def bytes(self) -> int:
        """How much has come to all of them."""
        return sum(reader.bytes for reader in self.readers) + sum(counter.bytes for counter in self.counters)

    def line_bytes(self) -> float:
        """The length of a line, on average."""
        lines = sum(len(reader.numbers()) for reader in self.readers)
        return sum(reader.bytes for reader in self.readers) / lines if lines else float("inf")

    def whole_bytes(self, total: int) -> float:
        """What all lines are: what the best reader has, and what it lacks or has twice."""
        best = max(self.readers, key=lambda reader: len(set(reader.numbers())))
        missing = total - len(best.numbers())
        return best.bytes + (missing * self.line_bytes() if best.numbers() else 0.0)


class Audience:
    """The members of one room during one stage.

    Those who only listen are of as many sorts as dialects are spoken; those who talk count line ends.

    Attributes:
        copies: How many deliveries one line makes, on average.

    Args:
        crowd: All connections.
        senders: Those who talk, in turns.
        listeners: All others.
        rate: Lines a second.
        ignoring: The index of the sender whose lines a seat is not shown; most seats are not in it.
    """

    def __init__(
        self,
        crowd: Crowd,
        senders: Sequence[Seat],
        listeners: Sequence[Seat],
        rate: float,
        ignoring: Mapping[Seat, int] | None = None,
    ) -> None:
        self._ignoring = ignoring or {}
        self._senders = senders
        self.copies = len(senders) + len(listeners) - self._unseen_copies()
        of_dialect: dict[Dialect, list[Seat]] = {}
        for seat in listeners:
            of_dialect.setdefault(seat.dialect, []).append(seat)
        readers = int(READ_LINES_PER_SECOND / rate / len(of_dialect))
        self._sorts = [_Sort(seats, readers) for seats in of_dialect.values()]
        self._readers = [reader for sort in self._sorts for reader in sort.readers]
        self._tellers = [Teller(seat) for seat in senders]
        prompt: list[Reader | Teller] = [*self._readers, *self._tellers]
        for ear in prompt:
            crowd.listen(ear.seat, ear)
        for counter in (counter for sort in self._sorts for counter in sort.counters):
            crowd.listen(counter.seat, counter, lazily=True)

    def _unseen_copies(self) -> float:
        """How many members are not shown a line, on average: some who said it themselves, and who ignores."""
        unechoed = sum(not seat.dialect.echoes for seat in self._senders)
        return (unechoed + len(self._ignoring)) / len(self._senders)

    def received(self) -> tuple[list[int], int]:
        """How much has come: bytes to those who listen, sort by sort; line ends to those who talk."""
        return [sort.bytes for sort in self._sorts], sum(teller.newlines for teller in self._tellers)

    def deliveries(self, received: tuple[list[int], int]) -> float:
        """As many lines as that was; answers to those who talk are no deliveries."""
        heard_bytes, newlines = received
        share = self._shown_share()
        dialect = self._senders[0].dialect  # those of one crowd count alike
        per_line = dialect.newlines_per_line * share + dialect.newlines_per_answer / len(self._senders)
        listened = sum(heard / sort.line_bytes() for heard, sort in zip(heard_bytes, self._sorts, strict=True))
        return listened + (newlines / per_line * share if share else 0.0)

    def _shown_share(self) -> float:
        """Of all lines, the share that those who talk are shown, on average."""
        count = len(self._senders)
        unseen = sum(not seat.dialect.echoes for seat in self._senders)
        return 1 - (unseen + sum(seat in self._ignoring for seat in self._senders)) / count**2

    def complete(self, total: int) -> bool:
        """Whether everybody has all that was said."""
        return (
            all(teller.newlines >= self._newlines(total, n) for n, teller in enumerate(self._tellers))
            and all(len(reader.numbers()) >= self._due(reader.seat, total) for reader in self._readers)
            and all(counter.bytes >= expected for counter, expected, _ in self._bytes_expected(total))
        )

    def _due(self, seat: Seat, total: int) -> int:
        """How many of all lines a seat is to be shown if its own are among them."""
        return total - (self._said_by(self._ignoring[seat], total) if seat in self._ignoring else 0)

    def _said_by(self, index: int, total: int) -> int:
        return len(range(index, total, len(self._tellers)))

    def _newlines(self, total: int, index: int) -> int:
        """How many line ends the sender of this index is to receive."""
        own = self._said_by(index, total)
        dialect = self._senders[index].dialect
        shown = self._due(self._senders[index], total) - (not dialect.echoes) * own
        return shown * dialect.newlines_per_line + own * dialect.newlines_per_answer

    def verdict(self, total: int) -> Verdict:
        """What all of them together lost, received twice, or saw in another order."""
        found = sum((self._judged(reader, total) for reader in self._readers), Verdict())
        for counter, expected, line_bytes in self._bytes_expected(total):
            found += _surplus(counter.bytes, expected, line_bytes)
        for index, teller in enumerate(self._tellers):
            found += _surplus(teller.newlines, self._newlines(total, index), teller.seat.dialect.newlines_per_line)
        return found

    def _judged(self, reader: Reader, total: int) -> Verdict:
        ignored = self._ignoring.get(reader.seat)
        return judge(reader.numbers(), total, len(self._tellers), ignored=ignored)

    def _bytes_expected(self, total: int) -> Iterator[tuple[Counter, float, float]]:
        """For each who is counted: all lines less those of whom one ignores, in bytes, and a line's bytes."""
        for sort in self._sorts:
            whole, line_bytes = sort.whole_bytes(total), sort.line_bytes()
            for counter in sort.counters:
                ignored = total - self._due(counter.seat, total)
                yield counter, whole - (ignored * line_bytes if ignored else 0.0), line_bytes

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
