"""Ports of this machine that nobody has, below those that the kernel gives to outgoing connections."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["free_ports"]


def free_ports() -> Iterator[int]:
    """One free port after another; none twice."""
    for port in range(10_000 + os.getpid() % 9_000, 20_000):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            probe.close()
            yield port
