"""What a client is told of the server as such: how many are here, and the message of the day.

Knows numbers and the operator's lines. Must not know who is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twistedchat.irc.door import IrcDoor

__all__ = ["motd", "user_counts"]


def user_counts(door: IrcDoor) -> None:
    """How many people and rooms there are."""
    people, rooms = door.hub.people.count(), sum(1 for _ in door.hub.rooms)
    strangers = len(door.stream.port.connections) - people
    door.numeric("251", f"There are {people} users and 0 invisible on 1 server")
    door.numeric("253", str(max(0, strangers)), "connections that have no name yet")
    door.numeric("254", str(rooms), "rooms that somebody is in")
    door.numeric("255", f"I have {people} clients and 0 servers")
    door.numeric("265", str(people), str(people), f"People here: {people}")
    door.numeric("266", str(people), str(people), f"People here: {people}")


def motd(door: IrcDoor) -> None:
    """The message of the day, if there is one."""
    lines = door.settings.motd
    if not lines:
        door.numeric("422", "There is no message of the day.")
        return
    door.numeric("375", f"- {door.server} message of the day -")
    for line in lines:
        door.numeric("372", f"- {line}")
    door.numeric("376", "That was all.")
