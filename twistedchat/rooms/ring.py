"""The last steps of a room, and how far each member that is told of them in steps has come.

A member has a position among them, as it has a cursor in the log. Who could not be told is told later what the steps
come to; for whom some of them are forgotten by then, is shown anew who is here. Knows members and steps. Must not
know when anybody is told: `announce` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.rooms.steps import Run, StepKind, net, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from twistedchat.events import Event
    from twistedchat.rooms.audience import Audience, Member, Outlet
    from twistedchat.rooms.steps import Step

__all__ = ["MAX_STEPS", "PAGE_BYTES", "Ring"]

MAX_STEPS = 4096
"""Most steps that are remembered; whoever has not been told more than that is shown anew who is here.

They are only kept until everybody has been told. Source: 1,000 people who leave and come again are 2,000; a step
takes some 250 bytes, and an entry in the names that are shown anew a sixth of a line.
"""

PAGE_BYTES = 32 * 2**10
"""Size limit of what a member is told at once, in bytes. Source: docs/irc.md, "Who is here"."""

_MAX_RUNS = 16
"""Runs that are remembered for other members at the same position. Source: a few rounds' worth."""

_STRETCH = 64
"""Members who are told before the fan-out looks at the clock. Source: as `audience`'s."""


class Ring:
    """The last steps of one room.

    Args:
        room: The room's name.
        audience: The members on this node.

    Attributes:
        last: The number of the last step; each is one more than the one before.
        told: The number of the last step that everybody was told who took it.
        is_gathering: Whether steps wait to be told together.
    """

    __slots__ = ("_arrivals", "_audience", "_room", "_runs", "_steps", "is_gathering", "last", "told")

    def __init__(self, room: str, audience: Audience) -> None:
        self._room = room
        self._audience = audience
        # A list, because an empty deque takes 700 bytes, and in most rooms there is none to be kept.
        self._steps: list[Step] = []
        self._runs: dict[tuple[int, int], tuple[Run, int]] = {}
        # By name, for those whose coming waits to be told: the number of that step.
        self._arrivals: dict[str, int] = {}
        self.last = 0
        self.told = 0
        self.is_gathering = False

    @property
    def first(self) -> int:
        """The earliest position from which it is known what happened."""
        return self.last - len(self._steps)

    # -- what happens --------------------------------------------------------------------------------

    def add(self, step: Step) -> None:
        """Something has happened. Whoever did it knows it; it is told to the others by one of those below."""
        if len(self._steps) >= MAX_STEPS:
            del self._steps[: MAX_STEPS // 8]
        self._steps.append(step)
        self.last += 1
        if step.kind in (StepKind.JOIN, StepKind.NICK):
            self._arrivals[step.doer] = self.last
            if len(self._arrivals) > 2 * MAX_STEPS:
                self._forget_arrivals()

    def tell_now(self, run: Run, told: dict[Outlet, bool]) -> bool:
        """Tell the last step to everybody who was told all before it.

        Args:
            run: The step alone.
            told: By outlet whether it took this step already, in another room. It grows.

        Returns:
            Whether all that can be told is told; False if something has happened meanwhile.
        """
        number, doer = self.last, run.steps[0].doer
        is_known = True
        for member in self._audience.stepwise:
            outlet = member.outlet
            if outlet is None:
                continue
            if member.known_version != number - 1:
                is_known = is_known and member.known_version >= number
                continue
            taken = member.name == doer or told.get(outlet)
            if taken is None:
                taken = told[outlet] = self._audience.show_steps(member, self._room, run)
            if taken:
                member.known_version = number
            else:
                is_known = False
        self.told = max(self.told, number)
        if self.last != number:
            return False
        if is_known:
            self._forget_all()
        return True

    # -- telling it together -------------------------------------------------------------------------

    def tell(self, member: Member, end: int) -> None:
        """Tell one member what it was not told up to this step, as far as it takes it."""
        while member.known_version < end and self._tell_page(member, end):
            pass

    def tell_all(self, end: int) -> Iterator[None]:
        """Tell everybody what they were not told up to this step, a page each, a stretch of members at a time."""
        members = self._audience.stepwise
        for start in range(0, len(members), _STRETCH):
            for member in members[start : start + _STRETCH]:
                if member.known_version < end:
                    self._tell_page(member, end)
            yield
        waiting = self._waiting()
        self.told = max(self.told, min(waiting, default=end))
        self._forget()

    def tell_speakers(self, events: Iterable[Event]) -> Iterator[None]:
        """Tell everybody of those who are about to be shown to speak, with all that happened before they came."""
        end = self.due(events)
        if end > self.told:
            for number, member in enumerate(self._audience.stepwise, 1):
                self.tell(member, end)
                if not number % _STRETCH:
                    yield
            self.told = max(self.told, end)

    def due(self, events: Iterable[Event]) -> int:
        """The step by which the last of those who speak has come, if that waits to be told; else 0."""
        arrivals = self._arrivals
        return max((arrivals.get(event.who, 0) for event in events), default=0) if arrivals else 0

    @property
    def is_told(self) -> bool:
        """Whether everybody who takes it was told everything."""
        return not self._waiting()

    def _waiting(self) -> list[int]:
        """The positions of those who take something and were not told everything."""
        last = self.last
        return [
            member.known_version
            for member in self._audience.stepwise
            if member.known_version < last and member.outlet is not None and not member.outlet.full
        ]

    def _tell_page(self, member: Member, end: int) -> bool:
        """Tell a member as much as is told at once; whether it was taken."""
        if member.outlet is None:
            return False
        if member.known_version < self.first:
            if not self._audience.show_anew(member, self._room):
                return False
            member.known_version = self.last
            return True
        run, position = self._page(member.known_version, end)
        if run.steps and not self._audience.show_steps(member, self._room, run):
            return False
        member.known_version = position
        return True

    def _page(self, begin: int, end: int) -> tuple[Run, int]:
        """What the steps behind a position come to, as far as that is told at once, and the position behind them."""
        found = self._runs.get((begin, end))
        if found is None:
            first = self.first
            steps = self._steps[begin - first : end - first]
            told = net(self._room, steps)
            while len(steps) > 1 and sum(map(size, told)) > PAGE_BYTES:
                steps = steps[: (len(steps) + 1) // 2]
                told = net(self._room, steps)
            if len(self._runs) >= _MAX_RUNS:
                self._runs.clear()
            found = self._runs[begin, end] = (Run(told), begin + len(steps))
        return found

    def _forget(self) -> None:
        """Forget what everybody was told."""
        last = self.last
        behind = [m.known_version for m in self._audience.stepwise if m.known_version < last and m.outlet is not None]
        if not behind:
            self._forget_all()
            return
        del self._steps[: max(0, min(behind) - self.first)]
        self._forget_arrivals()

    def _forget_arrivals(self) -> None:
        first = self.first
        self._arrivals = {name: number for name, number in self._arrivals.items() if number > first}

    def _forget_all(self) -> None:
        self._steps.clear()
        self._arrivals.clear()
        self._runs.clear()
