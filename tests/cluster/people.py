"""Who is at the nodes: programs and people at telnet, and what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.live.daemon import Caller, Program, exchange, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.live.daemon import Daemon

__all__ = [
    "answered",
    "back",
    "closing",
    "heard",
    "person",
    "presence",
    "program",
    "said_in",
    "say",
    "shown",
    "speak",
    "stands",
]

PATIENCE_SECONDS = 30.0
"""Time limit for what must come about in a story, in seconds: far more than a busy machine needs."""


def program(node: Daemon, name: str, room: str) -> Program:
    """A program in a room."""
    joined = node.program(name)
    assert joined.call("join", room=room)["type"] == "joined"
    return joined


def person(node: Daemon, name: str, room: str) -> Caller:
    """Somebody at telnet, who talks in a room."""
    caller = node.caller()
    speak(caller, name, f"/join {room}")
    heard(caller, f"*** You are in #{room}")
    return caller


def heard(caller: Caller, text: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until somebody is told this."""
    try:
        exchange([caller], lambda: caller.heard(text), f"{text!r} is heard", seconds)
    except AssertionError as fault:
        fault.add_note("It heard:\n" + "\n".join(caller.lines[-20:]))
        raise


def closing(caller: Program) -> str:
    """The code with which a program's connection is closed."""
    exchange([caller], lambda: caller.over, "it is closed")
    codes: list[str] = [message["code"] for message in caller.messages if message["type"] == "closing"]
    return codes[-1] if codes else "lost"


def back(node: Daemon, lost: Program) -> Program:
    """A program whose connection was lost comes to a node."""
    return node.program("nobody", resume=token(lost))


def token(of: Program) -> str:
    """What takes a program's session up."""
    return str(next(message["session"] for message in of.messages if message["type"] == "welcome"))


def speak(caller: Caller, *lines: str) -> None:
    """Send lines."""
    caller.say(*lines)
    exchange([caller], lambda: not caller.outbox, "all is sent")


def say(speaker: Program, room: str, texts: Sequence[str]) -> list[int]:
    """Say lines, and wait for no answer; their ids."""
    ids = [speaker.ask("say", room=room, text=text) for text in texts]
    exchange([speaker], lambda: not speaker.outbox, "all is sent")
    return ids


def answered(speaker: Program, ids: Sequence[int], others: Sequence[Caller] = ()) -> list[str]:
    """Wait until lines are answered: ``ok``, or the code of the error."""
    exchange([speaker, *others], lambda: all(speaker.answers(id_) for id_ in ids), "all is answered", PATIENCE_SECONDS)
    answers = [speaker.answers(id_)[0] for id_ in ids]
    return [str(answer.get("code", answer["type"])) for answer in answers]


def said_in(reader: Program, room: str) -> list[str]:
    """What stands in a room's log, as a node tells it."""
    return [event["text"] for event in reader.call("history", room=room, limit=500)["events"]]


def stands(reader: Program, room: str, texts: list[str]) -> None:
    """Wait until a room's log, as a node tells it, is this: it may hear a moment later of what another one stored."""
    until(lambda: said_in(reader, room) == texts, f"{len(texts)} lines stand in the log, and no others")


def shown(room: str, count: int, *callers: Caller, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until programs have been shown so many events of a room."""
    exchange(
        callers, lambda: all(len(caller.events(room)) >= count for caller in callers), f"{count} are shown", seconds
    )


def presence(watcher: Program, room: str, what: str) -> list[str]:
    """The names that a program was told under ``joined`` or ``left``."""
    changes = [each for each in watcher.messages if each["type"] == "presence" and each["room"] == room]
    return [name for change in changes for name in change[what]]
