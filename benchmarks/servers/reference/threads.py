"""The beginner's chat server: a thread for each client, a lock around the members, ``sendall`` to each."""

from __future__ import annotations

import socket
import sys
import threading
from collections import defaultdict

from benchmarks.servers.reference.wording import JOIN, here, line, welcome

_rooms: defaultdict[bytes, set[socket.socket]] = defaultdict(set)
_lock = threading.Lock()


def _serve(client: socket.socket) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = client.makefile("rb", buffering=4096)
    name = lines.readline().strip()
    room = b"lobby"
    with _lock:
        _rooms[room].add(client)
    try:
        client.sendall(welcome(name))
        for raw in lines:
            text = raw.strip()
            with _lock:
                if text.startswith(JOIN):
                    _rooms[room].discard(client)
                    room = text.removeprefix(JOIN)
                    _rooms[room].add(client)
                    client.sendall(here(room))
                    continue
                shown = line(name, text)
                for member in _rooms[room]:
                    member.sendall(shown)
    except OSError:
        pass
    finally:
        with _lock:
            _rooms[room].discard(client)
        client.close()


def main() -> None:
    """Listen on the port given."""
    threading.stack_size(256 * 1024)
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096) as listening:
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
