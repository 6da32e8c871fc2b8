"""A batch as ``chat.append`` takes it, and what its answer means for each draft. Knows no connection.

The answer is small, so the events are made of the drafts; see log.sql.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from twistedchat.events import Event, Kind
from twistedchat.names import likenesses
from twistedchat.postgres.codec import array, named, numbers, raw, readable
from twistedchat.postgres.errors import LapsedError, NameLostError
from twistedchat.stores.base import Refused, Stored, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Draft

__all__ = ["NOTHING", "Batch", "Fate", "Standing"]


class Standing(NamedTuple):
    """The draft's room and key stand already, as another line than the draft: that is still to be read.

    Attributes:
        room: Its room.
        seq: Its seq.
    """

    room: str
    seq: int


Fate: TypeAlias = "Stored | Refused | Standing"

NOTHING = "[0, [], {}, [], []]"
"""Answer to a batch in which there is nothing that could be stored, which need not be asked for."""

_REFUSED = {
    "lapsed": LapsedError("The node's lease has lapsed: it was cut off from the database."),
    "burned": StoreError("The database could not store it, and will not."),
}
"""What answers mean that are no JSON."""


class Batch:
    """Drafts that are appended together.

    Args:
        number: Greater than that of any batch of this node before.
        drafts: At least one, in the order of arrival.

    Attributes:
        number: As given.
        drafts: As given.
        is_empty: Whether there is nothing that could be stored.
    """

    def __init__(self, number: int, drafts: Sequence[Draft]) -> None:
        self.number = number
        self.drafts = drafts
        self._lines: list[Draft] = []
        self._line_of: list[int | Refused] = []
        self._sift()
        self.is_empty = not self._lines
        self._rooms: dict[str, int] = {}
        self._room_of = [self._rooms.setdefault(draft.room, len(self._rooms)) for draft in self._lines]

    def _sift(self) -> None:
        """Leave out what is no text, and what has the room and key of a line before it in this batch."""
        faults = _faults(self.drafts)
        lines_by_key: dict[tuple[str, str], int] = {}
        for number, draft in enumerate(self.drafts):
            line = len(self._lines)
            if number in faults:
                self._line_of.append(faults[number])
            elif draft.key is not None and lines_by_key.setdefault((draft.room, draft.key), line) != line:
                self._line_of.append(lines_by_key[draft.room, draft.key])
            else:
                self._lines.append(draft)
                self._line_of.append(line)

    def parameters(self) -> tuple[str | None, ...]:
        """Those of ``chat.append``, from the number on."""
        counts, topics, places = self._counted()
        lines = self._lines
        keys = [None if draft.key is None else named(draft.key) for draft in lines]
        raws = [raw(draft.text) for draft in lines]
        tags = [named(draft.tags) or None for draft in lines]
        return (
            str(self.number),
            array([named(room) for room in self._rooms]),
            numbers(counts),
            numbers(topics),
            array([named(who) for who in dict.fromkeys([draft.who for draft in lines])]),
            numbers([room + 1 for room in self._room_of]),
            numbers(places),
            array([draft.kind for draft in lines]),
            array([named(draft.who) for draft in lines]),
            array([readable(draft.text) for draft in lines]),
            array(keys) if any(key is not None for key in keys) else None,
            array(raws) if any(raws) else None,
            array(tags) if any(tags) else None,
        )

    def rooms(self) -> tuple[str, str, str]:
        """The parameters of ``chat.make_rooms``: the rooms, their likenesses, and whose these are."""
        keys = [(named(key), named(room)) for room in self._rooms for key in likenesses(room)]
        return (
            array([named(room) for room in self._rooms]),
            array([key for key, _ in keys]),
            array([of for _, of in keys]),
        )

    def fates(self, answer: str) -> list[Fate]:
        """What an answer means, one for each draft in their order.

        Args:
            answer: Of ``chat.append`` or ``chat.burn``.
        """
        if answer == "lapsed":
            return [Refused(LapsedError("The node's lease has lapsed: it was cut off from the database."))] * len(
                self.drafts
            )
        if answer == "burned":
            return [Refused(StoreError("The database has not stored it, and will not."))] * len(self.drafts)
        fates = self._of_lines(*json.loads(answer))
        if len(fates) == len(self.drafts):
            return fates
        return self._of_drafts(fates)

    def _counted(self) -> tuple[list[int], list[int], list[int]]:
        """Of each room, its lines and the place of its last topic; of each line, its place in its room."""
        counts, topics, places = [0] * len(self._rooms), [0] * len(self._rooms), []
        for draft, room in zip(self._lines, self._room_of, strict=True):
            counts[room] += 1
            places.append(counts[room])
            if draft.kind is Kind.TOPIC:
                topics[room] = counts[room]
        return counts, topics, places

    def _of_lines(
        self, now: int, heads: list[int], late: dict[str, int], again: list[list[int]], refused: list[int]
    ) -> list[Fate]:
        odd = self._odd(again, refused)
        ahead = {int(place) - 1: at - heads[int(place) - 1] for place, at in late.items()}
        fates: list[Fate] = []
        for line, (draft, room) in enumerate(zip(self._lines, self._room_of, strict=True)):
            if line in odd:
                fates.append(odd[line])
                continue
            heads[room] += 1
            # The time of a room that is ahead of the clock goes on by a millisecond an event.
            at = heads[room] + ahead[room] if room in ahead else now
            fates.append(
                Stored(Event(draft.room, heads[room], at, draft.kind, draft.who, draft.text, draft.tags), True)
            )
        return fates

    def _odd(self, again: list[list[int]], refused: list[int]) -> dict[int, Fate]:
        """The lines that were not appended."""
        odd: dict[int, Fate] = {}
        for line, seq, at, is_same in again:
            draft = self._lines[line - 1]
            event = Event(draft.room, seq, at, draft.kind, draft.who, draft.text, draft.tags)
            odd[line - 1] = Stored(event, fresh=False) if is_same else Standing(draft.room, seq)
        for line in refused:
            who = self._lines[line - 1].who
            odd[line - 1] = Refused(NameLostError(f"The name {who} is somebody else's on another node by now."))
        return odd

    def _of_drafts(self, fates: list[Fate]) -> list[Fate]:
        """From those of the lines to those of all drafts: who came second stands as the first one does."""
        seen: set[int] = set()
        all_fates: list[Fate] = []
        for line in self._line_of:
            if isinstance(line, Refused):
                all_fates.append(line)
                continue
            fate = fates[line]
            if line in seen and isinstance(fate, Stored):
                fate = Stored(fate.event, fresh=False)
            seen.add(line)
            all_fates.append(fate)
        return all_fates


def _faults(drafts: Sequence[Draft]) -> dict[int, Refused]:
    """Which drafts can't be UTF-8, by their place."""
    try:
        "".join([f"{draft.room}{draft.who}{draft.text}{draft.key}{draft.tags}" for draft in drafts]).encode()
    except UnicodeEncodeError:
        return {number: fault for number, draft in enumerate(drafts) if (fault := _fault(draft))}
    return {}


def _fault(draft: Draft) -> Refused | None:
    try:
        f"{draft.room}{draft.who}{draft.text}{draft.key}{draft.tags}".encode()
    except UnicodeEncodeError as error:
        return Refused(StoreError(f"The line is no text that can be stored ({error.reason})."))
    return None
