"""What Tab completes: commands, rooms and names. Pure; must not know a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.client.commands import COMMANDS

if TYPE_CHECKING:
    from twistedchat.client.desk import Desk

__all__ = ["candidates"]


def candidates(desk: Desk, before: str) -> tuple[str, list[str]]:
    """What could stand where the person types.

    Args:
        desk: The person's desk.
        before: What stands before the cursor.

    Returns:
        The word that is being typed, and what it could become, each with what follows it.
    """
    word = before.rsplit(" ", 1)[-1]
    at_start = word == before
    if at_start and word.startswith("/"):
        return word, [f"/{command.names[0]} " for command in COMMANDS if _begins(f"/{command.names[0]}", word)]
    if word.startswith("#"):
        return word, [f"#{name} " for name in sorted(desk.conversation.rooms) if _begins(f"#{name}", word)]
    if before.startswith(("/join ", "/leave ", "/who ")):
        return word, [f"#{name} " for name in sorted(desk.conversation.rooms) if _begins(name, word)]
    members = sorted(desk.room.members if desk.room is not None else (), key=str.casefold)
    after = ": " if at_start else " "
    return word, [f"{name}{after}" for name in members if name != desk.conversation.name and _begins(name, word)]


def _begins(whole: str, word: str) -> bool:
    return whole.casefold().startswith(word.casefold())
