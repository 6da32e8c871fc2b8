"""Durable.

An event is shown to anybody, its sender included, only after the store holds it. What anybody has seen
survives ``kill -9``.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, PlainPeer, World
from tests.live.daemon import Daemon, Program, exchange
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 10

UNDER_WAY = 40
"""So many lines of one program wait for their answers."""

_SAID = re.compile(r"\[\d\d:\d\d:\d\d\] (\S+): (.*)")


class StoredFirst(SynchronousTestCase):
    """A slow disk, in memory."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.person, self.program = PlainPeer(self.world), JsonPeer(self.world)
        self.person.say("ann")
        self.program.ask("hello", name="bot")
        self.program.ask("join", room="lobby")
        self.world.pass_seconds(1)

    def test_nothing_is_shown_before_the_store_has_it(self) -> None:
        """Neither the sender nor anybody else sees a line, or its answer, while it is being stored."""
        before = len(self.person.received), len(self.program.received)
        self.world.held.holding = True
        asked = self.program.ask("say", room="lobby", text="one")
        self.person.say("two")
        self.world.pass_seconds(10)
        self.assertEqual((len(self.person.received), len(self.program.received)), before)
        self.world.held.holding = False
        self.world.held.release()
        self.world.pass_seconds(1)
        self.assertEqual([event["text"] for event in self.program.events("lobby")], ["one", "two"])
        self.assertEqual(self.program.answer(asked)["seq"], 1)
        self.assertEqual([line[11:] for line in self.person.lines[-2:]], ["bot: one", "ann: two"])

    def test_what_was_not_stored_is_not_shown(self) -> None:
        """Lines that the disk did not take are refused to their senders, and nobody sees them."""
        self.world.held.fault = StoreError("The disk is full.")
        asked = self.program.ask("say", room="lobby", text="one")
        self.person.say("two")
        self.world.pass_seconds(1)
        self.assertEqual(self.program.answer(asked)["code"], "not-stored")
        self.assertIn("*** Your line was not said", self.person.lines[-1])
        self.assertEqual(self.program.events("lobby"), [])
        self.world.held.fault = None
        self.person.say("three")
        self.assertEqual([event["text"] for event in self.program.events("lobby")], ["three"])


class _Talker:
    """A program that says numbered lines over many runs of a server, and forgets nothing that it saw."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: dict[int, dict[str, Any]] = {}
        self.acknowledged: dict[str, int] = {}
        self.waiting: dict[str, int] = {}
        self._said = 0
        self._read = 0
        self.program: Program

    def connect(self, daemon: Daemon) -> None:
        """Come back, and send again whatever was not answered, and some of what was."""
        self.program = daemon.program(self.name)
        self.program.ask("join", room="lobby", after=max(self.seen, default=0))
        self._read = 0
        for text in [*list(self.acknowledged)[-10:], *self.waiting]:
            self._say(text)

    def talk(self) -> None:
        """Take down what came; have some lines under way."""
        self.listen()
        while len(self.waiting) < UNDER_WAY:
            self._said += 1
            self._say(f"{self.name} says {self._said}")

    def listen(self) -> None:
        """Take down what came."""
        texts = {id_: text for text, id_ in self.waiting.items()}
        messages = self.program.messages
        for message in messages[self._read :]:
            assert message["type"] != "error", message
            if message["type"] == "event":
                assert message["seq"] == max(self.seen, default=0) + 1
                self.seen[message["seq"]] = message
            elif message["type"] == "ok":
                text = texts[message["re"]]
                # What is acknowledged again stands where it stood.
                assert self.acknowledged.setdefault(text, message["seq"]) == message["seq"]
                del self.waiting[text]
        self._read = len(messages)

    def _say(self, text: str) -> None:
        self.waiting[text] = self.program.ask("say", room="lobby", text=text, key=text)


def _read_log(daemon: Daemon) -> list[dict[str, Any]]:
    """The whole log, in pages."""
    reader = daemon.program("reader")
    log: list[dict[str, Any]] = []
    while events := reader.call("history", room="lobby", after=len(log))["events"]:
        assert [event["seq"] for event in events] == list(range(len(log) + 1, len(log) + len(events) + 1))
        log += events
    return log


def test_killed_again_and_again(tmp_path: Path) -> None:
    """What anybody saw before a ``kill -9`` is in the log after it, unchanged; what is sent again stands once."""
    moments = random.Random(6622)  # noqa: S311  a choice of moments
    talkers = [_Talker(f"bot{number}") for number in range(3)]
    shown: list[str] = []
    with Daemon(tmp_path, "--rate=0") as daemon:
        for _ in range(KILLS):
            person = daemon.caller()
            person.say("ann")
            for talker in talkers:
                talker.connect(daemon)
            callers = [person, *(talker.program for talker in talkers)]
            enough = len(talkers[0].seen) + moments.randrange(1, 1500)

            def talked(enough: int = enough) -> bool:
                for talker in talkers:
                    talker.talk()
                return len(talkers[0].seen) >= enough

            exchange(callers, talked, "enough is said")
            daemon.kill()
            exchange(callers, lambda callers=callers: all(caller.over for caller in callers), "all is read")  # type: ignore[misc]
            for talker in talkers:
                talker.listen()
            shown += person.lines
            daemon.start()
        for talker in talkers:
            talker.connect(daemon)

        def answered() -> bool:
            for talker in talkers:
                talker.listen()
            return not any(talker.waiting for talker in talkers)

        exchange([talker.program for talker in talkers], answered, "all is answered")
        log = _read_log(daemon)
    assert len(log) > KILLS
    for talker in talkers:
        for seq, event in talker.seen.items():
            assert log[seq - 1] == event
        for text, seq in talker.acknowledged.items():
            assert (log[seq - 1]["who"], log[seq - 1]["text"]) == (talker.name, text)
    texts = [event["text"] for event in log]
    assert len(texts) == len(set(texts))
    said = {(event["who"], event["text"]) for event in log}
    for line in shown:
        found = _SAID.fullmatch(line)
        assert found is None or found.groups() in said
    assert [found for found in map(_SAID.fullmatch, shown) if found]
