"""What Tab completes: commands, rooms and names. Pure; must not know a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.verbs import VERBS

if TYPE_CHECKING:
    from twistedchat.client.controller import Controller

__all__ = ["candidates"]


def candidates(controller: Controller, before: str) -> tuple[str, list[str]]:
    """What could stand where the person types.

    Args:
        controller: The person's controller.
        before: What stands before the cursor.

    Returns:
        The word that is being typed, and what it could become, each with what follows it.
    """
    word = before.rsplit(" ", 1)[-1]
    at_start = word == before
    if at_start and word.startswith("/"):
        typed = [f"/{verb.words[0]}" for verb in VERBS if verb.words]
        return word, [f"{command} " for command in typed if _begins(command, word)]
    if word.startswith("#"):
        return word, [f"#{name} " for name in sorted(controller.conversation.rooms) if _begins(f"#{name}", word)]
    if before.startswith(("/join ", "/leave ", "/who ")):
        return word, [f"#{name} " for name in sorted(controller.conversation.rooms) if _begins(name, word)]
    members = sorted(controller.room.members if controller.room is not None else (), key=str.casefold)
    after = ": " if at_start else " "
    return word, [f"{name}{after}" for name in members if name != controller.conversation.name and _begins(name, word)]


def _begins(whole: str, word: str) -> bool:
    return whole.casefold().startswith(word.casefold())
