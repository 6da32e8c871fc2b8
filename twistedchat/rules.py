"""Who may do what: the one place that says no.

Knows verbs, and what a room or a person is at this moment. Must not know how it came about, nor who
else is there: the session asks before every verb, at every door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from twistedchat.errors import ChatError
from twistedchat.profiles import Profile, source
from twistedchat.rooms.charter import Charter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_ROOMS", "Actor", "Place", "may", "may_see"]

MAX_ROOMS = 100
"""Most rooms of one session, so that its cost is bounded. Source: docs/protocol.md, "Limits"."""


class Seen(Protocol):
    """Somebody who is seen by others."""

    @property
    def profile(self) -> Profile:
        """How; it may be made when it is asked for."""


class _Nobody:
    """Of somebody whose door has said nothing of it."""

    profile = Profile("user", "local.ip")


_NOBODY = _Nobody()
_NO_RULES = Charter()
"""Of a room that is not there. Not to be changed."""


class Actor(NamedTuple):
    """Who asks.

    Attributes:
        name: "" before one was given.
        room_count: In how many rooms the session is.
        person: Knows how it is seen; not asked before a rule needs it.
    """

    name: str
    room_count: int
    person: Seen = _NOBODY

    @property
    def source(self) -> str:
        """As masks see the person."""
        return source(self.name, self.person.profile)

    @property
    def since(self) -> int:
        """When the person took the name, in milliseconds since 1970."""
        return self.person.profile.since

    @property
    def is_operator(self) -> bool:
        """Whether the person is an operator of the server."""
        return "o" in self.person.profile.modes


class Place(NamedTuple):
    """Where.

    Attributes:
        name: The room's, without ``#``, as it was asked for or as it is kept.
        is_member: Whether the actor is in it.
        exists: Whether somebody is in it or something was said in it.
        charter: Its ranks and rules.
        people: How many are in it, where somebody enters.
        key: What whoever enters gives as its key.
        is_free: Whether the actor may speak here whatever the charter says: so in most rooms that is all that is asked.
    """

    name: str
    is_member: bool
    exists: bool = True
    charter: Charter = _NO_RULES
    people: int = 0
    key: str = ""
    is_free: bool = False


def may(actor: Actor, verb: str, place: Place | None = None) -> None:
    """Return if this may be done.

    Args:
        actor: Who asks.
        verb: The name of one of `verbs.VERBS`, or ``mode``, ``kick``, ``invite``, ``notice``, ``kill``, ``wallops``.
        place: The room that it is about, if any.

    Raises:
        ChatError: ``no-name``, ``not-in-room``, ``no-such-room``, ``too-many-rooms``, ``banned``, ``wrong-key``,
            ``invite-only``, ``room-full``, ``muted``, ``not-op``, ``not-operator``; the sentence says what to do.
    """
    if not actor.name and verb not in _NAMELESS:
        raise ChatError("no-name", "Give your name first: type it, and Enter.")
    if place is not None:
        if (rule := _RULES.get(verb)) is not None:
            rule(actor, place)
    elif verb in _OPERATORS and not actor.is_operator:
        raise ChatError("not-operator", "That is for operators of the server.")


def may_see(actor: Actor, place: Place) -> bool:
    """Whether somebody may know that a room is there, and who is in it."""
    return place.is_member or not place.charter.is_hidden or actor.is_operator


# -- what is said --------------------------------------------------------------------------------


def _speak(actor: Actor, place: Place) -> None:
    if place.is_free:
        return
    charter = place.charter
    if not place.is_member:
        if not charter.lets_others_speak:
            raise _not_in(place)
    elif not charter.binds_speakers:
        return
    if charter.rank(actor.name):
        return
    if "m" in charter.flags:
        raise ChatError("muted", f"Only those with a rank speak in #{place.name}: ask one of its ops for voice.")
    if charter.bans(actor.source):
        raise ChatError("banned", f"You are banned from #{place.name} and can't speak there: ask one of its ops.")


def _not_in(place: Place) -> ChatError:
    return ChatError("not-in-room", f"You are not in #{place.name}: join it first.")


def _topic(actor: Actor, place: Place) -> None:
    _member(actor, place)
    _speak(actor, place)
    if "t" in place.charter.flags:
        _need_op(actor, place)


def _need_op(actor: Actor, place: Place) -> None:
    if "o" not in place.charter.rank(actor.name):
        raise ChatError("not-op", f"Only the ops of #{place.name} may do that: ask one of them.")


# -- coming and going ----------------------------------------------------------------------------


def _member(_: Actor, place: Place) -> None:
    if not place.is_member:
        raise _not_in(place)


def _leave(_: Actor, place: Place) -> None:
    if not place.is_member:
        raise ChatError("not-in-room", f"You are not in #{place.name}: there is nothing to leave.")


def _join(actor: Actor, place: Place) -> None:
    if place.is_member:
        return
    if actor.room_count >= MAX_ROOMS:
        raise ChatError("too-many-rooms", f"You are in {MAX_ROOMS} rooms: leave one before you join another.")
    charter = place.charter
    if charter.is_usual or charter.is_invited(actor.name, actor.since):
        return
    if charter.bans(actor.source):
        raise ChatError("banned", f"You are banned from #{place.name}: ask one of its ops.")
    if charter.key and charter.key != place.key:
        raise ChatError("wrong-key", f"#{place.name} has a key, and that is not it: ask somebody who is in it.")
    if "i" in charter.flags and not charter.invites(actor.name, actor.source, actor.since):
        raise ChatError("invite-only", f"#{place.name} is entered by invitation: ask one of its ops.")
    if charter.limit and place.people >= charter.limit:
        raise ChatError("room-full", f"#{place.name} is full, by its ops' word: try again later.")


# -- looking -------------------------------------------------------------------------------------


def _look(actor: Actor, place: Place) -> None:
    if not place.exists or not may_see(actor, place):
        raise ChatError("no-such-room", f"There is no room #{place.name}: join it to open it.")


def _read(actor: Actor, place: Place) -> None:
    _look(actor, place)
    if place.is_member:
        return
    if place.charter.is_closed:
        raise ChatError("not-in-room", f"#{place.name} is closed: only those who are in it read what was said there.")
    if place.charter.bans(actor.source):
        raise ChatError("banned", f"You are banned from #{place.name}, and can't read what was said there.")


# -- ranks and rules -----------------------------------------------------------------------------


def _mode(actor: Actor, place: Place) -> None:
    _look(actor, place)
    if not actor.is_operator:
        _as_op(actor, place)


def _as_op(actor: Actor, place: Place) -> None:
    _member(actor, place)
    _need_op(actor, place)


def _invite(actor: Actor, place: Place) -> None:
    _member(actor, place)
    if "i" in place.charter.flags:
        _need_op(actor, place)


_NAMELESS = frozenset({"hello", "help", "ping", "quit"})

_OPERATORS = frozenset({"kill", "wallops"})
"""Verbs of operators of the server."""

_RULES: dict[str, Callable[[Actor, Place], None]] = {
    "say": _speak,
    "me": _speak,
    "notice": _speak,
    "topic": _topic,
    "since": _member,
    "leave": _leave,
    "join": _join,
    "history": _read,
    "who": _look,
    "mode": _mode,
    "kick": _as_op,
    "invite": _invite,
}
"""What a verb demands of the room that it is about."""
