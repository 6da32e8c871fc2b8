"""Which fault happens when. Pure: the same seed gives the same schedule."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["KINDS", "ROUND_SECONDS", "Fault", "Kind", "kinds_for", "rounds"]

ROUND_SECONDS = 20.0
"""Length of a round, in seconds: faults, each healed before its end; then comes a rest, in which all is judged.

Source: longer than the longest fault.
"""

_FIRST_SECONDS = 1.0
_PAUSES_SECONDS = (0.3, 4.0)
_LENGTHS_SECONDS = ((0.2, 2.0), (0.2, 2.0), (2.0, 8.0), (10.5, 15.0))
"""Ranges that a fault's length is drawn from: most are short; a lease of 10 s must lapse now and then."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        does: What it does.
        subject: What it happens to: ``node``, ``link`` (from a node to the database) or ``engine``.
        lasts: Whether it has a length; else it is over at once.
        least_seconds: It lasts at least so long.
        most_seconds: It lasts at most so long.
        recovery_seconds: So long afterwards nothing else happens to the same subject.
        needs_standby: Whether there must be a standby.
    """

    does: str
    subject: str
    lasts: bool = True
    least_seconds: float = 0.0
    most_seconds: float = 15.0
    recovery_seconds: float = 2.0
    needs_standby: bool = False


KINDS: dict[str, Kind] = {
    "kill": Kind("kill -9 of a node, started again after a while", "node", most_seconds=14, recovery_seconds=4),
    "term": Kind(
        "SIGTERM to a node, which must end within 5 s; started again at once", "node", lasts=False, recovery_seconds=8
    ),
    "stop": Kind("SIGSTOP of a node, then SIGCONT", "node"),
    "cut": Kind("a node's connections to the database are reset, and new ones refused", "link"),
    "blink": Kind("a node's connections to the database are reset, once", "link", lasts=False),
    "blink-one": Kind("one of a node's connections to the database is reset", "link", lasts=False),
    "hole": Kind("nothing comes through between a node and the database", "link"),
    "hole-up": Kind("nothing comes through from a node to the database", "link"),
    "hole-down": Kind("nothing comes through from the database to a node", "link"),
    "hole-one": Kind("nothing comes through on one of a node's connections to the database", "link", least_seconds=3.5),
    "delay": Kind("everything between a node and the database takes 50 to 500 ms more", "link"),
    "engine-kill": Kind("kill -9 of the database, started again after a while", "engine", most_seconds=8),
    "engine-stop": Kind("SIGSTOP of the database's processes, then SIGCONT", "engine", most_seconds=8),
    "terminate": Kind("the database ends all its connections", "engine", lasts=False),
    "failover": Kind(
        "link to the standby cut, the primary killed, the standby promoted",
        "engine",
        lasts=False,
        recovery_seconds=8,
        needs_standby=True,
    ),
    "standby-cut": Kind("link to the standby cut for a while", "engine", most_seconds=6, needs_standby=True),
    "clock": Kind("the database's clock is a minute ahead or behind", "engine"),
    "full": Kind("the database refuses to store, as when its disk is full", "engine", most_seconds=8),
}
"""All faults, by name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        at: When in its round, in seconds.
        kind: Which one; a name in `KINDS`.
        node: The number of the node that it happens to, where it happens to one.
        seconds: How long it lasts; 0 if it is over at once.
        chance: Between 0 and 1, for whatever the fault leaves open.
    """

    at: float
    kind: str
    node: int
    seconds: float
    chance: float

    @property
    def subject(self) -> str:
        """What it happens to; two faults of one subject are never at the same time."""
        subject = KINDS[self.kind].subject
        return f"{subject} {self.node}" if subject in {"node", "link"} else subject

    @override
    def __str__(self) -> str:
        lasts = f" for {self.seconds:.1f} s" if self.seconds else ""
        where = f" {'abcdefghij'[self.node]}" if KINDS[self.kind].subject in {"node", "link"} else ""
        return f"{self.kind}{where}{lasts}"


def kinds_for(*, postgres: bool, standby: bool) -> list[str]:
    """The kinds of faults that can be made with this store."""
    return [
        name
        for name, kind in KINDS.items()
        if (postgres or kind.subject == "node") and (standby or not kind.needs_standby)
    ]


def rounds(seed: int, kinds: Sequence[str], nodes: int) -> Iterator[list[Fault]]:
    """Round after round without end, each in the order of time. Every kind comes before one comes again."""
    chance = random.Random(seed)  # noqa: S311  not a secret: a schedule
    deck: list[str] = []
    while True:
        faults: list[Fault] = []
        at = _FIRST_SECONDS
        while kinds and at < ROUND_SECONDS - 3:
            if not deck:
                deck = list(kinds)
                chance.shuffle(deck)
            fault = _fault(chance, deck.pop(), at, nodes)
            if not any(_overlap(fault, other) for other in faults):
                faults.append(fault)
            at += chance.uniform(*_PAUSES_SECONDS)
        yield faults


def _fault(chance: random.Random, name: str, at: float, nodes: int) -> Fault:
    kind = KINDS[name]
    longest = min(kind.most_seconds, ROUND_SECONDS - at)
    seconds = max(kind.least_seconds, chance.uniform(*chance.choice(_LENGTHS_SECONDS)))
    # Some last to the end, so that nothing that comes later hides what they leave behind.
    seconds = longest if chance.random() < 0.2 else min(longest, seconds)
    return Fault(at, name, chance.randrange(nodes), seconds if kind.lasts else 0.0, chance.random())


def _overlap(one: Fault, other: Fault) -> bool:
    if one.subject != other.subject:
        return False
    return one.at < _recovered_at(other) and other.at < _recovered_at(one)


def _recovered_at(fault: Fault) -> float:
    return fault.at + fault.seconds + KINDS[fault.kind].recovery_seconds
