"""What became of each line: acknowledged, shown or refused; once; in the order sent. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.checker.judge.records import Line, Outcome, Sending, mark_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.checker.judge.records import Event
    from benchmarks.checker.judge.verdict import Verdict

__all__ = ["LineBook"]


class LineBook:
    """All lines that were sent, by their marks.

    Args:
        verdict: Is told what is wrong.
    """

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._lines: dict[str, Line] = {}
        self._promised: dict[str, Line] = {}
        self._ordinals = 0
        self._latest: dict[tuple[str, str], tuple[int, str]] = {}
        self._tenures: dict[tuple[str, str], tuple[int, str]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def sent(self, line: Line, connection: str, tenure: int) -> None:
        """A line is sent, for the first time or again.

        Args:
            line: It is the same object each time.
            connection: On which connection.
            tenure: Under which holding of its name.
        """
        self._lines[mark_of(line.text)] = line
        self._ordinals += 1
        line.sendings.append(Sending(connection, tenure, self._ordinals, stood_before=line.seq > 0))

    def stored(self, line: Line, connection: str, room: str, seq: int, *, again: bool) -> None:
        """Its sender is told that it stands."""
        sending = self._answered(line, connection, Outcome.AGAIN if again else Outcome.STORED)
        if sending is None:
            return
        told = f"{self._tell(line)} was acknowledged on {connection} as #{room} {seq}{' again' if again else ''}"
        if again:
            self._judge_again(line, sending, told)
        elif sending.stood_before or any(
            other is not sending and other.outcome in {Outcome.STORED, Outcome.AGAIN} for other in line.sendings
        ):
            self._verdict.against("again-missing", sending.ordinal, f"{told}, but it stood before")
        if room != line.room or line.promised not in {0, seq} or line.seq not in {0, seq}:
            self._verdict.against("promised-elsewhere", sending.ordinal, f"{told}, which it is not")
        if not line.seq:
            self._promised[mark_of(line.text)] = line
        line.promised = line.promised or seq

    def _judge_again(self, line: Line, sending: Sending, told: str) -> None:
        others = [other for other in line.sendings if other is not sending and other.ordinal < sending.ordinal]
        if not others:
            self._verdict.against("again-wrong", sending.ordinal, f"{told}, but it was never sent before")
        elif all(other.outcome is Outcome.REFUSED for other in others):
            self._verdict.against("refused-but-stands", mark_of(line.text), f"{told}, after it had been refused")

    def refused(self, line: Line, connection: str) -> None:
        """Its sender is told that nobody was or will be shown it."""
        sending = self._answered(line, connection, Outcome.REFUSED)
        if sending is not None and line.is_refused and line.seq:
            told = f"{self._tell(line)} was refused on {connection}, and stands at {line.seq}"
            self._verdict.against("refused-but-stands", mark_of(line.text), told)

    def _answered(self, line: Line, connection: str, outcome: Outcome) -> Sending | None:
        for sending in reversed(line.sendings):
            if sending.connection == connection and sending.outcome is Outcome.UNKNOWN:
                sending.outcome = outcome
                return sending
        told = f"{self._tell(line)} was answered ({outcome.value}) on {connection}, where no answer was owed"
        self._verdict.against("answered-twice", (mark_of(line.text), connection), told)
        return None

    def shown(self, event: Event, connection: str) -> None:
        """A connection that is told what becomes of its lines is shown one of its own."""
        line = self._lines.get(mark_of(event.text))
        if line is None or len(line.sendings) != 1:
            return
        [sending] = line.sendings
        if sending.connection == connection and sending.outcome is Outcome.UNKNOWN:
            told = f"{self._tell(line)} was shown on {connection} before its ok"
            self._verdict.against("event-before-ok", mark_of(event.text), told)

    def stands(self, event: Event, source: str) -> None:
        """Somebody was shown an event for the first time, or read it in the log."""
        mark = mark_of(event.text)
        line = self._lines.get(mark)
        if line is None:
            if event.kind != "notice":
                self._verdict.against("never-sent", (event.room, event.seq), f"{source} has {event}: nobody sent it")
            return
        if line.seq not in {0, event.seq} or line.room != event.room:
            kind = "keyed-doubled" if line.keyed else "unkeyed-doubled"
            told = f"{self._tell(line)} stands at {line.seq}, and in #{event.room} at {event.seq}, says {source}"
            self._verdict.against(kind, (mark, event.seq), told)
            return
        line.seq = event.seq
        self._promised.pop(mark, None)
        self._compare(line, event, source)

    def _compare(self, line: Line, event: Event, source: str) -> None:
        mark = mark_of(event.text)
        if line.promised not in {0, event.seq}:
            told = f"{self._tell(line)} was promised at {line.promised}, and stands at {event.seq}, says {source}"
            self._verdict.against("promised-elsewhere", mark, told)
        if line.is_refused:
            told = f"{self._tell(line)} was refused, and stands at {event.seq}, says {source}"
            self._verdict.against("refused-but-stands", mark, told)
        if (line.who, line.kind) != (event.who, event.kind):
            self._verdict.against("wrong-sender", mark, f"{self._tell(line)} stands as {event}, says {source}")
        if event.at is not None and line.text != event.text:
            self._verdict.against("text-changed", mark, f"{line.text!r} stands as {event.text!r}, says {source}")

    def passed(self, event: Event) -> None:
        """At rest: the next event of the log, each once, in the order of its room."""
        line = self._lines.get(mark_of(event.text))
        if line is None:
            return
        through = line.through()
        if through is not None:
            self._judge_order(line, through)
        tenures = {sending.tenure for sending in line.sendings}
        if len(tenures) == 1:
            self._judge_tenure(line, tenures.pop())

    def _judge_order(self, line: Line, through: Sending) -> None:
        place = through.connection, line.room
        latest, before = self._latest.get(place, (0, ""))
        told = f"#{line.room} {line.seq}: {self._tell(line)}"
        if through.ordinal < latest:
            self._verdict.against("reordered", mark_of(line.text), f"{told} stands behind {before}, and was sent first")
        else:
            self._latest[place] = through.ordinal, told

    def _judge_tenure(self, line: Line, tenure: int) -> None:
        place = line.who, line.room
        latest, before = self._tenures.get(place, (0, ""))
        told = f"#{line.room} {line.seq}: {self._tell(line)}"
        if tenure < latest:
            lost = f"{told} stands behind {before}, by whom the name was taken"
            self._verdict.against("name-after-loss", mark_of(line.text), lost)
        else:
            self._tenures[place] = tenure, told

    def owed(self) -> list[Line]:
        """What was acknowledged, and was not seen in the log yet; before the log is read."""
        return list(self._promised.values())

    def at_rest(self, owed: Sequence[Line]) -> None:
        """The whole log has been read: what was `owed` before must have been in it."""
        for line in owed:
            if not line.seq:
                told = f"{self._tell(line)} was acknowledged as #{line.room} {line.promised}, and stands nowhere"
                self._verdict.against("acknowledged-but-lost", mark_of(line.text), told)

    def _tell(self, line: Line) -> str:
        sendings = ", ".join(f"{one.connection} (tenure {one.tenure}) {one.outcome.value}" for one in line.sendings)
        return f"{line.who}'s {'keyed' if line.keyed else 'unkeyed'} line {mark_of(line.text)} [{sendings}]"
