"""What a client has received: one reading of it, for connections in memory and at real sockets."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["FarEnd", "request"]


def request(op: str, id_: int, fields: dict[str, object]) -> bytes:
    """One request of a program, as a line."""
    return json.dumps({"op": op, "id": id_, **fields}).encode() + b"\n"


class FarEnd:
    """A client's received bytes, as lines and as messages.

    Attributes:
        received: Every byte taken so far, after decryption.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self._parsed_bytes = 0
        self._messages: list[dict[str, Any]] = []

    @property
    def lines(self) -> list[str]:
        """The whole lines that were received."""
        return self.received[: self.received.rfind(b"\n") + 1].decode().splitlines()

    def heard(self, text: str) -> bool:
        """Whether this has been received."""
        return text.encode() in self.received

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was received as objects; what stands before the first of them is for people."""
        end = self.received.rfind(b"\n") + 1
        for line in self.received[self._parsed_bytes : end].splitlines():
            if line[:1] == b"{" or self._messages:
                self._messages.append(json.loads(line))
        self._parsed_bytes = end
        return self._messages

    def answers(self, id_: int) -> list[dict[str, Any]]:
        """The answers to a request: one, when it has been answered."""
        return [message for message in self.messages if message.get("re") == id_]

    def events(self, room: str) -> list[dict[str, Any]]:
        """What was shown of a room."""
        return [message for message in self.messages if message["type"] == "event" and message["room"] == room]
