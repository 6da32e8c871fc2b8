"""What happens to the charter of a room: changes, coming and going, and its end with the last member.

Knows rooms and their members. Must not know who may do it (`rules` does), nor how anybody is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.records import Amended, Change, Rule
from twistedchat.rooms.charter import FLAGS, LOBBY, RANKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from twistedchat.records import Standing
    from twistedchat.rooms.audience import Member
    from twistedchat.rooms.charter import Charter
    from twistedchat.rooms.room import Room

__all__ = ["adopt", "amend", "entered", "left"]


def amend(room: Room, changes: Iterable[Change], by: str, now: int) -> Amended:
    """Make changes.

    Args:
        room: Where.
        changes: What is wanted; the bearers of ranks are people in the room.
        by: The name of whoever makes them; "" for the server.
        now: In milliseconds since 1970.
    """
    made: list[Change] = []
    refused: list[tuple[Change, ChatError]] = []
    for change in changes:
        try:
            told = room.charter.apply(change, by, now)
        except ChatError as error:
            refused.append((change, error))
        else:
            made += [told] if told else []
    room.rules_changed()
    return Amended(room.name, made, refused)


def entered(room: Room, member: Member, now: int) -> Change | None:
    """Somebody has come in.

    Returns:
        The rank of whoever makes a room, one in which nothing was said that can be read.
    """
    charter = room.charter
    charter.entered(member.name)
    if room.presence.count == 1:
        charter.made_at = now
        if room.seq == room.floor and room.name != LOBBY:
            return charter.apply(Change("+", "o", member.name))
    return None


def left(room: Room, name: str) -> Change | None:
    """Somebody has gone: its rank ends, and with the last member all ranks and rules.

    Those of a closed room hold until its log is put away. If some are on other nodes, the database says who follows.

    Returns:
        The change that the room is told of, if nobody else could lift a rule: whoever has been there longest can now.
    """
    charter = room.charter
    rank = charter.left(name)
    if not room.presence.count:
        if not charter.is_closed:
            room.forget_rules()
    elif "o" in rank and not charter.has_op and not charter.is_usual and room.presence.count == room.audience.count:
        heir = room.audience.longest_here()
        if heir is not None:
            return charter.apply(Change("+", "o", heir.name))
    return None


def adopt(charter: Charter, standing: Standing) -> Sequence[Change]:
    """Make ranks and rules those that all nodes have; what is changed by that."""
    wanted = {(rule.letter, rule.param): rule for rule in standing.rules}
    before = {(rule.letter, rule.param): rule for rule in _rules_of(charter)}
    replaced = {letter for letter, _ in wanted if letter in "kl"}
    changes: list[tuple[Change, Rule]] = [
        (_change("-", rule), rule) for key, rule in before.items() if key not in wanted and key[0] not in replaced
    ]
    changes += [(_change("+", rule), rule) for key, rule in wanted.items() if key not in before]
    for name in sorted({*charter.ranks, *standing.ranks}):
        old, new = charter.rank(name), standing.ranks.get(name, "")
        for letter in RANKS:
            if (letter in old) is not (letter in new):
                changes.append((Change("+" if letter in new else "-", letter, name), _BY_NOBODY))
    made = [charter.apply(change, rule.by, rule.at) for change, rule in changes]
    return [change for change in made if change is not None]


_BY_NOBODY = Rule("", "", "", 0)


def _change(sign: str, rule: Rule) -> Change:
    """What sets a rule, or takes it away."""
    if rule.letter == "n":
        sign = "-" if sign == "+" else "+"
    return Change(sign, rule.letter, rule.param)


def _rules_of(charter: Charter) -> Iterator[Rule]:
    """The rules that are not as in a new room."""
    for letter in FLAGS:
        if (letter in charter.flags) is not (letter == "n"):
            yield Rule(letter, "", "", 0)
    if charter.key:
        yield Rule("k", charter.key, "", 0)
    if charter.limit:
        yield Rule("l", str(charter.limit), "", 0)
    for letter, masks in charter.masks.items():
        for mask, (by, at) in masks.items():
            yield Rule(letter, mask, by, at)
