"""Where a program stopped reading, remembered in a file. Knows files. Must not know how events come."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["SAVE_SECONDS", "State"]

SAVE_SECONDS = 1.0
"""Interval at which the file is written if anything has changed, in seconds.

After a crash at most the events of one are written twice. Source: chosen.
"""


class State:
    """The last seq that was seen of each room, at each server.

    Args:
        path: The file, which may not exist yet.
        where: The servers that share their rooms, as they were written, at least one. Each is remembered, so that
            it does not matter which of them is asked for the next time.

    Raises:
        ChatError: ``bad-state``: the file is something else, or can't be read.
    """

    def __init__(self, path: Path, where: Sequence[str]) -> None:
        self._path = path
        self._saved = True
        self._servers: dict[str, dict[str, int]] = {}
        try:
            text = path.read_text() if path.exists() else "{}"
            for server, rooms in json.loads(text).items():
                self._servers[server] = {room: int(seq) for room, seq in rooms.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ChatError("bad-state", f"{path} is no state that can be read: {error}") from error
        self._rooms: dict[str, int] = {}
        for rooms in [self._servers.get(server, {}) for server in where]:
            self._rooms |= {room: max(seq, self._rooms.get(room, 0)) for room, seq in rooms.items()}
        self._servers |= dict.fromkeys(where, self._rooms)

    def last(self, room: str) -> int | None:
        """The last seq that was seen of a room, in any case, or None."""
        if room in self._rooms:
            return self._rooms[room]
        return next((seq for name, seq in self._rooms.items() if name.casefold() == room.casefold()), None)

    def saw(self, room: str, seq: int) -> None:
        """An event was seen."""
        self._rooms[room] = seq
        self._saved = False

    def save(self) -> None:
        """Write the file, whole or not at all, if anything has changed.

        Raises:
            ChatError: ``bad-state``: it can't be written.
        """
        if self._saved:
            return
        new = self._path.with_name(self._path.name + ".new")
        try:
            new.write_text(json.dumps(self._servers, ensure_ascii=False, indent=1) + "\n")
            os.replace(new, self._path)
        except OSError as error:
            raise ChatError("bad-state", f"{self._path} can't be written: {error.strerror}.") from error
        self._saved = True
