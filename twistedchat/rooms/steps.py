"""Who came, went and changed in a room, step by step, and what a run of such steps comes to.

Knows values. Must not know who is told, nor when.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.profiles import Profile, source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twistedchat.records import Change

__all__ = ["EVERYWHERE", "Run", "Step", "StepKind", "net", "size"]

RANKS = "ov"
"""Letters of ranks, the highest first. Source: docs/irc.md, ``PREFIX``."""

_LINE_BYTES = 64
"""Size of what a line has besides its texts, in bytes: a time as a tag, a command, blanks. Source: 32 + 7 and some."""


class StepKind(enum.StrEnum):
    """What happened."""

    JOIN = "join"
    """Somebody has come."""

    PART = "part"
    """Somebody has left a room."""

    QUIT = "quit"
    """Somebody has left all rooms, and the server."""

    NICK = "nick"
    """Somebody has another name."""

    AWAY = "away"
    """Somebody is away, or back."""

    SETNAME = "setname"
    """Somebody tells another text about itself."""

    MODE = "mode"
    """Ranks or rules of a room have changed."""

    KICK = "kick"
    """Somebody was removed from a room."""

    INVITE = "invite"
    """Somebody, who is not in a room, was let in."""


EVERYWHERE = frozenset({StepKind.QUIT, StepKind.NICK, StepKind.AWAY, StepKind.SETNAME})
"""What holds for all rooms that somebody is in: whoever shares several of them is told once."""


class Step(NamedTuple):
    """One thing that happened in a room.

    Attributes:
        kind: What.
        room: Where; "" for what holds `EVERYWHERE`.
        who: The name of whoever did it, before it; "" for the server.
        source: ``name!~user@host`` of the same, before it; "" for the server.
        profile: How whoever did it is seen from then on; None if that is not known.
        text: Why it left or was removed, its new name, why it is away or "", the text about itself.
        target: Who was removed, or let in.
        rank: JOIN and NICK: letters of the rank that it has, mostly none.
        changes: MODE: what has changed.
        at: When, in milliseconds since 1970.
    """

    kind: StepKind
    room: str
    who: str
    source: str
    profile: Profile | None
    text: str = ""
    target: str = ""
    rank: str = ""
    changes: Sequence[Change] = ()
    at: int = 0

    @property
    def doer(self) -> str:
        """The name that whoever did it has now."""
        return self.text if self.kind is StepKind.NICK else self.who


class Run:
    """Steps that are told together. Compared by identity, so that what is rendered of it can be kept.

    Args:
        steps: In their order.

    Attributes:
        steps: As above.
    """

    __slots__ = ("_of", "steps")

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self._of: dict[str, list[int]] | None = None

    def of(self, name: str) -> Sequence[int]:
        """The indices of the steps that whoever has this name now is not to be told.

        It did them itself, or they are about somebody who had the name before.
        """
        if self._of is None:
            self._of = {}
            for index, step in enumerate(self.steps):
                for one in {step.doer, step.target} - {""}:
                    self._of.setdefault(one, []).append(index)
        return self._of.get(name, ())


def size(step: Step) -> int:
    """How many bytes a step takes at the most when it is told."""
    text = f"{step.source}{step.text}{step.target}{step.room}{step.profile.real if step.profile else ''}"
    changed = sum(len(change.param.encode("utf-8", "replace")) + 3 for change in step.changes)
    rank = len(step.who.encode("utf-8", "replace")) * len(step.rank)
    return _LINE_BYTES + len(text.encode("utf-8", "replace")) + changed + rank


def net(room: str, steps: Iterable[Step]) -> list[Step]:
    """What steps come to, for somebody who is told of them late, or together.

    Whoever was there and is not, or is another one by now, is a PART (KICK, if that was it); whoever is there and was
    not, is a JOIN, with how it is seen and its rank now. Both alone concern the room, so what is told of other rooms
    meanwhile does no harm: a QUIT is a PART, a new name a PART and a JOIN. Those who came and went are not in it.

    Args:
        room: Where.
        steps: In their order; nothing between the first and the last is left out.

    Returns:
        First those who went, then those who came, then what else has changed.
    """
    sums = _Sums(room)
    for step in steps:
        sums.add(step)
    return sums.told()


class _Sums:
    """What became of everybody.

    Args:
        room: Where.
    """

    __slots__ = ("_gone", "_here", "_others", "_room")

    def __init__(self, room: str) -> None:
        self._room = room
        # By name: how whoever was there at first has gone; None for who was not there.
        self._gone: dict[str, Step | None] = {}
        # By name: how whoever is there has come; None for who is not there. Others are there since before.
        self._here: dict[str, Step | None] = {}
        self._others: list[Step] = []

    def add(self, step: Step) -> None:
        kind, who = step.kind, step.who
        if kind is StepKind.JOIN:
            self._come(who, step)
        elif kind in (StepKind.PART, StepKind.QUIT):
            self._go(who, Step(StepKind.PART, self._room, who, step.source, step.profile, step.text, at=step.at))
        elif kind is StepKind.KICK:
            self._go(step.target, step)
        elif kind is StepKind.NICK:
            self._go(who, Step(StepKind.PART, self._room, who, step.source, step.profile, at=step.at))
            self._come(step.text, self._joined(step))
        elif kind is StepKind.MODE:
            self._rank(step)
            self._others.append(step)
        elif kind is not StepKind.INVITE and (come := self._here.get(who)) is not None:
            self._here[who] = come._replace(profile=step.profile)
        else:
            self._others.append(step)

    def _joined(self, step: Step) -> Step:
        """Whoever has taken another name, as one who comes."""
        name, profile = step.text, step.profile
        seen = source(name, profile) if profile is not None else name
        return Step(StepKind.JOIN, self._room, name, seen, profile, rank=step.rank, at=step.at)

    def _come(self, name: str, step: Step) -> None:
        self._gone.setdefault(name, None)
        # Again at the end: they are told in the order of coming.
        self._here.pop(name, None)
        self._here[name] = step

    def _go(self, name: str, step: Step) -> None:
        self._gone.setdefault(name, step)
        self._here[name] = None

    def _rank(self, step: Step) -> None:
        """The ranks of those who have come are told with their coming."""
        for change in step.changes:
            come = self._here.get(change.param) if change.letter in RANKS else None
            if come is not None:
                rank = set(come.rank) | {change.letter} if change.sign == "+" else set(come.rank) - {change.letter}
                self._here[change.param] = come._replace(rank="".join(filter(rank.__contains__, RANKS)))

    def told(self) -> list[Step]:
        gone = [step for step in self._gone.values() if step is not None]
        come = [step for step in self._here.values() if step is not None]
        return gone + come + self._changed()

    def _changed(self) -> list[Step]:
        """What else has changed, of those who are there since before: of each what was last."""
        last: dict[tuple[str, str, str], Step] = {}
        modes: list[Step] = []
        for step in self._others:
            if step.kind is StepKind.MODE:
                changes = [each for each in step.changes if each.letter not in RANKS or each.param not in self._here]
                if changes:
                    modes.append(step._replace(changes=changes))
            elif step.who not in self._here or (step.kind is StepKind.INVITE and self._here[step.who] is not None):
                last[step.kind, step.who, step.target] = step
        return [*last.values(), *modes]
