"""Who may do what: the one place that says no.

Knows verbs, and what a room or a person is at this moment. Must not know how it came about, nor who
else is there: the session asks before every verb, at every door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_ROOMS", "Actor", "Place", "may"]

MAX_ROOMS = 100
"""Most rooms of one session, so that its cost is bounded. Source: docs/protocol.md, "Limits"."""


class Actor(NamedTuple):
    """Who asks.

    Attributes:
        name: "" before one was given.
        room_count: In how many rooms the session is.
    """

    name: str
    room_count: int


class Place(NamedTuple):
    """Where.

    Attributes:
        name: The room's, without ``#``, as it was asked for or as it is kept.
        is_member: Whether the actor is in it.
        exists: Whether somebody is in it or something was said in it.
    """

    name: str
    is_member: bool
    exists: bool = True


def may(actor: Actor, verb: str, place: Place | None = None) -> None:
    """Return if this may be done.

    Args:
        actor: Who asks.
        verb: The name of one of `verbs.VERBS`.
        place: The room that it is about, if any.

    Raises:
        ChatError: ``no-name``, ``not-in-room``, ``no-such-room``, ``too-many-rooms``; the sentence says what to do.
    """
    if not actor.name and verb not in _NAMELESS:
        raise ChatError("no-name", "Give your name first: type it, and Enter.")
    if place is not None and (rule := _RULES.get(verb)) is not None:
        rule(actor, place)


def _speak(_: Actor, place: Place) -> None:
    if not place.is_member:
        raise ChatError("not-in-room", f"You are not in #{place.name}: join it first.")


def _leave(_: Actor, place: Place) -> None:
    if not place.is_member:
        raise ChatError("not-in-room", f"You are not in #{place.name}: there is nothing to leave.")


def _join(actor: Actor, place: Place) -> None:
    if not place.is_member and actor.room_count >= MAX_ROOMS:
        raise ChatError("too-many-rooms", f"You are in {MAX_ROOMS} rooms: leave one before you join another.")


def _look(_: Actor, place: Place) -> None:
    if not place.exists:
        raise ChatError("no-such-room", f"There is no room #{place.name}: join it to open it.")


_NAMELESS = frozenset({"hello", "help", "ping", "quit"})

_RULES: dict[str, Callable[[Actor, Place], None]] = {
    "say": _speak,
    "me": _speak,
    "topic": _speak,
    "since": _speak,
    "leave": _leave,
    "join": _join,
    "history": _look,
    "who": _look,
}
"""What a verb demands of the room that it is about."""
