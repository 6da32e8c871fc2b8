"""What a pipe writes, as lines of text or as JSON. Pure; must not know where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.client.plain_lines import PlainLines
from twistedchat.events import Kind
from twistedchat.formats.jsonl import event_json, iso, to_line
from twistedchat.formats.plain import told

if TYPE_CHECKING:
    from twistedchat.client.messages import Tell
    from twistedchat.events import Event
    from twistedchat.formats.base import Change

__all__ = ["JsonOutput", "PlainOutput"]


class PlainOutput:
    """Lines of text, as a person at telnet has them. ``here`` is the room in which the pipe talks."""

    def __init__(self) -> None:
        self._lines = PlainLines()

    def event(self, event: Event, *, here: str) -> str:
        """Something that was said or done."""
        return self._lines.events([event], with_room=event.room != here)

    def tell(self, tell: Tell) -> str:
        """A private line."""
        return self._lines.note(told(tell.who, tell.text, tell.kind))

    def change(self, change: Change, *, here: str) -> str:
        """Who came and went."""
        return self._lines.change(change, with_room=change.room != here)


class JsonOutput:
    """Events and private lines as they are on the wire, one object a line; nothing else."""

    @staticmethod
    def event(event: Event, *, here: str) -> str:  # noqa: ARG004  as `PlainOutput`
        """Something that was said or done."""
        return event_json(event) + "\n"

    @staticmethod
    def tell(tell: Tell) -> str:
        """A private line."""
        said = {"type": "tell", "who": tell.who, "text": tell.text, "at": iso(tell.at)}
        return to_line(said if tell.kind is Kind.SAY else said | {"kind": tell.kind}).decode()

    @staticmethod
    def change(change: Change, *, here: str) -> str:  # noqa: ARG004  as `PlainOutput`
        """Nothing: who comes and goes stands in no log."""
        return ""
