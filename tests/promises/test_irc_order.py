"""IRC clients of every sort in one room: each is shown the log in its order, nothing twice, nothing left out.

A client without ``echo-message`` has drawn its own lines when they were typed: it is shown all but those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import JsonPeer, PlainPeer, World
from tests.irc.client import IrcClient, come
from tests.promises.examples import FIXED

if TYPE_CHECKING:
    from random import Random

CAPS = [
    (),
    ("server-time",),
    ("message-tags", "echo-message", "batch", "labeled-response"),
    ("message-tags", "batch"),
    ("draft/multiline", "batch", "echo-message"),
    ("server-time", "draft/multiline", "batch", "draft/chathistory"),
    ("message-tags", "draft/multiline", "batch", "echo-message", "away-notify", "extended-join"),
]
"""A client of each sort: none, time or all tags, each with or without batches of several lines."""

STEPS = 150


class Story:
    """A room, and what happens there, by chance.

    Args:
        chance: Decides what happens.
    """

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.world = World(history=0)
        self.clients = [
            come(self.world, f"irc{number}", *caps, rooms=["den"], buffer_bytes=3000)
            for number, caps in enumerate(CAPS)
        ]
        self.plain, self.program = PlainPeer(self.world), JsonPeer(self.world)
        self.plain.say("tom", "/join den")
        self.program.ask("hello", name="pam")
        self.program.ask("join", room="den")
        self.world.pass_seconds(2)
        for client in self.clients:
            client.news()
        self.count = 0
        # What each client has said, and may not be shown.
        self.said: dict[IrcClient, set[str]] = {client: set() for client in self.clients}

    def client(self, number: int) -> IrcClient:
        return come(self.world, f"irc{number}", *CAPS[number], rooms=["den"], buffer_bytes=3000)

    def text(self) -> str:
        self.count += 1
        return f"line-{self.count} {'x' * self.chance.randrange(120)}"

    def step(self) -> None:
        """One thing that happens."""
        client = self.chance.choice(self.clients)
        what = self.chance.randrange(10)
        if what < 5:
            for _ in range(self.chance.randrange(1, 4)):
                text = self.text()
                self.said[client].add(text.partition(" ")[0])
                client.write(f"PRIVMSG #den :{text}\r\n".encode())
        elif what == 5:
            self.plain.say(self.text())
            self.program.ask("say", room="den", text=self.text())
        elif what == 6:
            client.reading = not client.reading
        elif what == 7:
            self.world.held.holding = not self.world.held.holding
            if not self.world.held.holding:
                self.world.held.release()
        elif what == 8:
            client.write(b"CAP REQ :server-time\r\nCAP REQ :-server-time\r\n")
        else:
            self.world.pass_seconds(self.chance.random())
        if self.chance.random() < 0.7:
            self.world.run()

    def end(self) -> None:
        """Everybody reads, and everything is stored."""
        self.world.held.holding = False
        self.world.held.release()
        for client in self.clients:
            client.read_again()
        self.world.pass_seconds(10)


class OrderTests(SynchronousTestCase):
    @settings(FIXED, max_examples=12)
    @given(st.randoms(use_true_random=False))
    def test_any_story(self, chance: Random) -> None:
        """Whatever happens, what a client of any sort has been shown is what the log holds."""
        story = Story(chance)
        for _ in range(STEPS):
            story.step()
            self.check_stored(story)
        story.end()
        log = [event.text.partition(" ")[0] for event in story.world.held.log.get("den", [])]
        self.assertEqual(len(log), story.count)
        for client, caps in zip(story.clients, CAPS, strict=True):
            own = set() if "echo-message" in caps else story.said[client]
            self.assertEqual(shown(client), [word for word in log if word not in own], caps)
        self.assertEqual(story.world.faults, [])
        story.world.close()

    def check_stored(self, story: Story) -> None:
        """Nobody is shown what is not stored."""
        stored = {event.text.partition(" ")[0] for event in story.world.held.log.get("den", [])}
        for client in story.clients:
            self.assertLessEqual(set(shown(client)), stored)


def shown(client: IrcClient) -> list[str]:
    """The first word of each line that was said in the room, as the client was shown them."""
    lines = [line for line in client.lines if " PRIVMSG #den :line-" in line]
    return [line.partition(" PRIVMSG #den :")[2].partition(" ")[0] for line in lines]
