"""An IRC client at a world: the far end of a connection to a port at which there are IRC clients alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from typing_extensions import override

from tests.peers import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IProtocol

    from tests.world import World

__all__ = ["IrcClient", "come"]


class IrcWay:
    """A world, at its port for IRC."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> object:
        return getattr(self._world, name)

    def protocol(self, *, tls: bool = False) -> IProtocol:
        return cast("IProtocol", self._world.factory.for_irc().buildProtocol(None))


class IrcClient(Peer):
    """Somebody with an IRC client, who answers a ``PING``.

    Attributes:
        answers_pings: Whether it does.
        nick: The name that it asked for.
    """

    def __init__(self, world: World, *, buffer_bytes: int = 1 << 20) -> None:
        self.nick = "*"
        self.answers_pings = True
        self._read = 0
        self._looked = 0
        super().__init__(cast("World", IrcWay(world)), buffer_bytes=buffer_bytes)
        self.world = world

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    @override
    def turn(self) -> bool:
        """Answer whoever asks whether it is there, and go on."""
        end = self.received.rfind(b"\n") + 1
        new, self._looked = self.received[self._looked : end].decode(), end
        for line in new.splitlines():
            word, _, rest = line.partition(" ")
            if word == "PING" and self.answers_pings and not self.over:
                self.write(f"PONG {rest}\r\n".encode())
        return super().turn()

    def news(self) -> list[str]:
        """The whole lines that came since the last time, but for a ``PING``."""
        end = self.received.rfind(b"\n") + 1
        new, self._read = self.received[self._read : end].decode(), end
        return [line for line in new.split("\r\n")[:-1] if not line.startswith("PING ")]


def come(
    world: World, name: str, *caps: str, word: str = "", rooms: Sequence[str] = (), buffer_bytes: int = 1 << 20
) -> IrcClient:
    """A client that has registered, and entered rooms; what it was told of that is read."""
    client = IrcClient(world, buffer_bytes=buffer_bytes)
    client.nick = name
    if word:
        client.say(f"PASS {word}")
    if caps:
        client.say(f"CAP REQ :{' '.join(caps)}", "CAP END")
    client.say(f"NICK {name}", f"USER {name} 0 * :{name}")
    for room in rooms:
        client.say(f"JOIN #{room}")
    world.pass_seconds(0.3)
    if rooms:
        client.news()
    return client
