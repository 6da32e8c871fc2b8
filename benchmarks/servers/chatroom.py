"""This project's daemon, as it comes: with its store on the disk, spoken to in both its ways."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.servers.base import Server, installed

__all__ = ["CHATROOM", "CHATROOM_JSON"]


def _chatroom(folder: Path, port: int) -> list[str]:
    beside = Path(sys.executable).with_name("twistd")
    twistd = str(beside) if beside.exists() else installed("twistd")
    store = f"sqlite:{folder / 'chatroom.db'}"
    return [twistd, "-n", "--pidfile=", "chatroom", "--port", str(port), "--store", store, "--rate", "0"]


CHATROOM = Server("chatroom", "plain", _chatroom, at_once=40, settings="no rate limit; sync=full")
CHATROOM_JSON = Server("chatroom-json", "json", _chatroom, at_once=40, settings="the same, in JSON lines")
