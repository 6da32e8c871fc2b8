"""Who is in a room, here and on other nodes, and what each member is still to be told of it.

State of now, not part of the log. A member that could not take what it was to be told is told later, when
its reader has room. Some are told by name and number, together; others in steps (`ring`). Knows names and versions.
Must not know when anybody is told: `announce` does.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.formats.base import Change
from twistedchat.profiles import Profile, source
from twistedchat.records import Names
from twistedchat.rooms.audience import SMALL_ROOM
from twistedchat.rooms.ring import Ring
from twistedchat.rooms.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from twistedchat.events import Event
    from twistedchat.formats.base import Format
    from twistedchat.rooms.audience import Audience, Member

__all__ = ["Presence"]

_STRETCH = 64
"""Members who are told before the fan-out looks at the clock. Source: as `audience`'s."""

_MAX_NOTES = 256
"""Most renames and departures that are remembered for members who are told late.

Source: five times a small room. Past it a rename is told as one who left and one who came.
"""

_ELSEWHERE = Profile("past", "log")
"""Of somebody on another node of whom nothing but the name is known. Source: as `profiles.PAST`."""


class _Note(NamedTuple):
    """What can't be seen from who is here: a rename, or with an empty ``new`` that somebody has gone, and why."""

    version: int
    old: str
    new: str
    why: str


class Presence:
    """Who is in one room.

    Args:
        room: The room's name.
        audience: The members on this node.

    Attributes:
        version: Grows with each change.
        announced: The version that everybody has been, or is being, told of.
        count: How many people are in the room, on all nodes.
        is_small: Whether coming and going is told by name.
        ring: What those are told who are told in steps.
    """

    __slots__ = (
        "_audience",
        "_names",
        "_names_at",
        "_names_version",
        "_notes",
        "_others",
        "_room",
        "announced",
        "count",
        "is_small",
        "ring",
        "version",
    )

    def __init__(self, room: str, audience: Audience) -> None:
        self._room = room
        self._audience = audience
        self._names = Names()
        self._names_version = 0
        # The step as of which the names were told last.
        self._names_at = 0
        self._notes: deque[_Note] = deque(maxlen=_MAX_NOTES)
        self._others: dict[str, Profile] = {}
        self.version = 0
        self.announced = 0
        self.count = 0
        self.is_small = True
        self.ring = Ring(room, audience)

    # -- the roster --------------------------------------------------------------------------------

    @property
    def names(self) -> Names:
        """The names of everybody in the room, on all nodes, sorted."""
        if self._names_version != self.version:
            here = (member.name for member in self._audience.members)
            self._names = Names(sorted(itertools.chain(here, self._others)))
            self._names_version = self.version
            self._names_at = self.ring.last
        return self._names

    @property
    def recent_names(self) -> Names:
        """The same for somebody who comes in; in a large room those of the last announcement.

        Otherwise 9,000 people who come in at once would have 9,000 lists sorted and rendered for them.
        """
        is_recent = self._names and self._names_version >= self.announced
        return self._names if is_recent and not self.is_small else self.names

    def names_for(self, member: Member) -> Names:
        """The names to be shown to a member that has just been introduced."""
        if not member.format.in_steps:
            return self.recent_names
        names = self._names
        if self._names_version != self.version and member.name not in names:
            names = Names(sorted((*names, member.name)))
        return names

    # -- what changes ------------------------------------------------------------------------------

    def joined(self, member: Member) -> None:
        """Somebody has come in, and knows who is here."""
        self._others.pop(member.name, None)
        self._changed()
        self.introduce(member)

    def arrived(self, member: Member) -> bool:
        """Somebody goes on here who was in the room at another node; whether anybody need be told."""
        is_new = self._others.pop(member.name, None) is None
        if is_new:
            self._changed()
        self.introduce(member)
        return is_new

    def departed(self, member: Member) -> None:
        """Somebody goes on at another node: nobody need be told."""
        self._others[member.name] = _ELSEWHERE

    def left(self, member: Member, why: str) -> None:
        """Somebody has gone, with a parting word or ""."""
        self._changed()
        self._notes.append(_Note(self.version, member.name, "", why))

    def renamed(self, member: Member, new: str) -> None:
        """Somebody takes another name; it need not be told of it."""
        self._changed()
        self._notes.append(_Note(self.version, member.name, new, ""))
        if member.known_names is not None:
            member.known_names = member.known_names - {member.name} | {new}
        member.name = new

    def set_others(
        self, names: Collection[str], renamed: Iterable[tuple[str, str]] = (), left: Iterable[tuple[str, str]] = ()
    ) -> list[Step]:
        """Who is in the room on other nodes, now.

        Args:
            names: They, perhaps with how each is seen. Whoever is also here by now is left out.
            renamed: Old and new names, as far as they are known.
            left: Names and parting words, as far as they are known.

        Returns:
            What has changed by that, without the times.
        """
        seen = names if isinstance(names, Mapping) else {}
        others: dict[str, Profile] = {name: seen.get(name, _ELSEWHERE) for name in names}
        if others:
            for member in self._audience.members:
                others.pop(member.name, None)
        if others.keys() == self._others.keys():
            self._others = others
            return []
        before, self._others = self._others, others
        gone, words = before.keys() - others.keys(), dict(left)
        self._changed()
        self._notes += [_Note(self.version, old, new, "") for old, new in renamed if old in gone and new in others]
        self._notes += [_Note(self.version, name, "", why) for name, why in words.items() if name in gone and why]
        return [
            *(self._step(StepKind.PART, name, before[name], words.get(name, "")) for name in sorted(gone)),
            *(self._step(StepKind.JOIN, name, others[name]) for name in sorted(others.keys() - before.keys())),
        ]

    def _step(self, kind: StepKind, name: str, profile: Profile, text: str = "") -> Step:
        return Step(kind, self._room, name, source(name, profile), profile, text)

    def happened(self, step: Step) -> None:
        """What has just changed, as a step."""
        self.ring.add(step)
        if self._names_version == self.version:
            self._names_at = self.ring.last

    def introduce(self, member: Member) -> None:
        """Take it that the member knows who is here now, or, in steps, that it knows the names that it is shown."""
        if member.format.in_steps:
            # What a large room is told in a second would else be 9,000 lists for 9,000 people who come in at once.
            ring = self.ring
            is_recent = self._names and not self.is_small and ring.is_gathering and self._names_at >= ring.told
            if not is_recent:
                self._names, self._names_at = self.names, ring.last
            member.known_version = self._names_at
            return
        member.known_names = frozenset(self.names) if self.is_small else None
        member.known_version = self.version

    def _changed(self) -> None:
        self.version += 1
        self.count = self._audience.count + len(self._others)
        self.is_small = self.count <= SMALL_ROOM

    # -- telling it --------------------------------------------------------------------------------

    def tell_all(self) -> Iterator[None]:
        """Tell everybody who came and went since each was last told, a stretch of members at a time."""
        self.announced = self.version
        tell = self._teller()
        members = self._audience.gathered
        for start in range(0, len(members), _STRETCH):
            for member in members[start : start + _STRETCH]:
                tell.tell(member)
            yield

    def tell(self, member: Member) -> None:
        """Tell one member what it could not take when the others were told."""
        if member.format.in_steps:
            self.ring.tell(member, self.ring.told)
        elif member.known_version < self.announced:
            self._teller().tell(member)

    def tell_speakers(self, member: Member, events: Iterable[Event]) -> None:
        """Tell one member of those who are about to be shown to it to speak, if it is told in steps."""
        if member.format.in_steps and (number := self.ring.due(events)) > member.known_version:
            self.ring.tell(member, number)

    def _teller(self) -> _Teller:
        return _Teller(self, frozenset(self.names) if self.is_small else None)

    def show(self, member: Member, change: bytes) -> bool:
        """Show a member who came and went; whether it was taken."""
        return self._audience.show_presence(member, change)

    def change_since(self, version: int, then: frozenset[str] | None, now: frozenset[str] | None) -> Change:
        """What somebody who knows ``then`` is to be told; names are left out where either is unknown."""
        if then is None or now is None:
            return Change(self._room, (), (), (), self.count)
        goes, words = _journeys(note for note in self._notes if note.version > version)
        pairs = [(old, new) for old, new in goes.items() if old in then - now and new in now - then]
        joined = sorted(now - then - {new for _, new in pairs})
        left = sorted(then - now - {old for old, _ in pairs})
        return Change(self._room, joined, [(name, words.get(name, "")) for name in left], pairs, self.count)


class _Teller:
    """Renders each change once for all who are to be told the same."""

    __slots__ = ("_names", "_presence", "_rendered", "_version")

    def __init__(self, presence: Presence, names: frozenset[str] | None) -> None:
        self._presence = presence
        self._names = names
        self._version = presence.version
        self._rendered: dict[tuple[Format, frozenset[str] | None, int], bytes] = {}

    def tell(self, member: Member) -> None:
        """Tell one member, unless it knows; if it does not take it, it still does not know."""
        if member.outlet is None or member.known_version >= self._version:
            return
        if self._names is None or member.known_names != self._names:
            # Without names, all are told the same, whenever each was told last.
            version = -1 if self._names is None or member.known_names is None else member.known_version
            key = (member.format, member.known_names, version)
            data = self._rendered.get(key)
            if data is None:
                change = self._presence.change_since(member.known_version, member.known_names, self._names)
                data = self._rendered[key] = member.format.presence(change)
            if not self._presence.show(member, data):
                return
        member.known_names = self._names
        member.known_version = self._version


def _journeys(notes: Iterable[_Note]) -> tuple[dict[str, str], dict[str, str]]:
    """What became of whoever had a name at first; whoever took that name later is somebody else.

    Returns:
        By the name at first: the name now (ann → bea → cat is one from ann to cat), and the parting words of
        those who have gone.
    """
    goes: dict[str, str] = {}
    words: dict[str, str] = {}
    for note in notes:
        first = next((first for first, last in goes.items() if last == note.old), note.old)
        if first in words or goes.get(first, note.old) != note.old:
            continue
        if note.new:
            goes[first] = note.new
        else:
            goes.pop(first, None)
            words[first] = note.why
    return goes, words
