"""Coming back: a session goes on with another connection, by its token, or by name and word.

Stands above the gate. Knows sessions and the register of persons. Must not know any door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.names import clean_new_name, name_taken
from twistedchat.people.base import Arrival, Stay
from twistedchat.people.password import hashed_word, is_of_word, word_token
from twistedchat.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from twisted.internet.defer import Deferred

    from twistedchat.formats.base import Format
    from twistedchat.hub import Hub
    from twistedchat.speaker import Listener

__all__ = ["STAY_SECONDS", "enter_by_word", "resume"]

STAY_SECONDS = 600.0
"""Time in which a session that has a word can be taken up, in seconds.

Source: docs/irc.md, "Coming back"; irssi comes back after 5 minutes.
"""

_PARTING = "Connection lost"
"""What the others are told when it was not. Source: docs/irc.md, "Limits and leaving"."""

_TAKEN_OVER = ("taken-over", "Another connection has taken your session up.")


async def resume(
    hub: Hub, token: str, outlet: Listener, format_: Format, *, by_word: bool = False
) -> tuple[Session, Listener | None] | None:
    """Take a session up with another connection; nothing of a room is shown until `Session.join`.

    Args:
        hub: The server's state.
        token: The session's.
        outlet: The connection.
        format_: How rooms are shown that the session was in at another node.
        by_word: Whether the token was made of a word here. A peer that gives a token can't give such a one: it
            could guess at words without being counted.

    Returns:
        The session, and the connection that it had, if that was not known to be lost; None if there is no
        such session.

    Raises:
        ChatError: ``not-ready``.
    """
    if is_of_word(token) is not by_word:
        return None
    person = await hub.people.resume(token)
    if isinstance(person, Arrival):
        session = Session(hub, outlet)
        if by_word:
            session.stay, session.arrived = Stay(person.seconds), dict(person.arrived)
        if hub.people.adopt(session, person):
            await session.arrive(person, format_)
            return session, None
        # Another connection was faster.
        person = await hub.people.resume(token)
    if not isinstance(person, Session) or not person.name:
        return None
    # Not before there is nothing to wait for: whoever asked may be lost meanwhile.
    hub.people.back(person)
    return person, person.take_up(outlet)


async def enter_by_word(
    hub: Hub,
    session: Session,
    name: str,
    word: str,
    format_: Format,
    still_there: Callable[[Listener], Coroutine[Deferred[Any], Any, bool]],
) -> Session:
    """Take a name, or take up the session of whoever has this name and word; nothing of a room is shown until `join`.

    Args:
        hub: The server's state.
        session: Of a connection that has no name yet.
        name: What was typed.
        word: Not "".
        format_: How rooms are shown that a session was in at another node.
        still_there: Asks a connection that seems open whether it is.

    Returns:
        The session that the connection has now: the given one, or another one that was taken up.

    Raises:
        ChatError: ``bad-name``, ``name-taken``, ``not-ready``.
    """
    name = clean_new_name(name)
    outlet = session.outlet
    hub.people.guesses.check(name)
    stay = Stay(STAY_SECONDS, _PARTING, hashed_word(word))
    token = word_token(name, stay.word)
    await _wait_for_end(hub, name, token, still_there)
    taken_up = await resume(hub, token, outlet, format_, by_word=True) if outlet is not None else None
    if taken_up is None:
        await _enter(hub, session, name, stay)
        return session
    found, before = taken_up
    if before is not None:
        before.evicted(*_TAKEN_OVER)
    found.stay = stay
    return found


async def _wait_for_end(
    hub: Hub, name: str, token: str, still_there: Callable[[Listener], Coroutine[Deferred[Any], Any, bool]]
) -> None:
    """Return when the session of this token, if there is one, has no connection that answers."""
    person = await hub.people.resume(token)
    outlet = person.outlet if isinstance(person, Session) else None
    if outlet is None or person is None:
        return
    if await still_there(outlet):
        # Two clients with one word would otherwise take it from each other for ever.
        raise name_taken(name, person.name)
    again = await hub.people.resume(token)
    if isinstance(again, Session) and again.outlet not in (None, outlet):
        # Somebody else with the same word was faster, and is just there.
        raise name_taken(name, again.name)


async def _enter(hub: Hub, session: Session, name: str, stay: Stay) -> None:
    try:
        await session.enter(name, resumable=True, stay=stay)
    except ChatError as error:
        if error.code == "name-taken":
            hub.people.guesses.wrong(name)
        raise
