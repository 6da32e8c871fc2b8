"""Once.

A line sent again with the same ``key`` after a lost connection stands in the log once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, World
from tests.promises.examples import run
from tests.promises.machine import ChatMachine

if TYPE_CHECKING:
    from tests.promises.book import Connection, Sent
    from twistedchat.events import Event


class OnceMachine(ChatMachine):
    """A key stands once, and every line has one answer, which is true."""

    def __init__(self) -> None:
        super().__init__()
        self.standing: dict[tuple[str, str], Event] = {}

    @override
    def answered(self, connection: Connection, sent: Sent, answer: dict[str, Any]) -> None:
        if answer["type"] == "error":
            assert answer["code"] == "not-stored", f"{sent} got {answer}"
            return
        assert answer["room"] == sent.room
        log = self.log.get(sent.room, [])
        assert answer["seq"] <= len(log), f"{sent} is not stored, and got {answer}"
        event = log[answer["seq"] - 1]
        if sent.key is None:
            assert event.text == sent.text, f"{sent} does not stand as {answer} says"
            assert sent.who in {None, event.who}, f"{sent} stands as {event}"
            assert "again" not in answer
        else:
            first = self.standing.setdefault((sent.room, sent.key), event)
            assert event is first, f"the key of {sent} stands as {first}, and as {event}"
            assert answer.get("again", False) or event.text == sent.text, f"{sent} got {answer} for {event}"

    @override
    def rested(self) -> None:
        for room, log in self.log.items():
            texts = Counter(event.text for event in log)
            assert max(texts.values(), default=1) == 1, f"#{room} has {texts.most_common(1)} more than once"
        for connection in self.connections:
            assert all(len(answers) == 1 for answers in connection.answers.values())
            if not connection.owed:
                continue
            if connection.is_program:
                assert connection.sent.keys() <= connection.answers.keys(), f"{connection.name} still waits"
            else:
                self._check_person(connection)

    def _check_person(self, connection: Connection) -> None:
        """Each line of somebody at telnet was shown to it, or it was told that it was not said."""
        stored = [sent for sent in connection.sent.values() if sent.text in self.by_text]
        assert len(connection.sent) == len(stored) + connection.refusals, f"{connection.name} does not know"
        for sent in stored:
            event = self.by_text[sent.text]
            assert event.who == sent.who, f"{sent} stands under another name"
            assert sent.text in connection.seen, f"{connection.name} was not shown {sent}"


class Once(SynchronousTestCase):
    """A line that is sent again."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)

    def _program(self, **hello: str) -> JsonPeer:
        peer = JsonPeer(self.world)
        peer.ask("hello", **hello)
        peer.ask("join", room="lobby")
        return peer

    def test_any_clients(self) -> None:
        """Whatever clients do, a key stands once, and each line is acknowledged or refused once."""
        run(OnceMachine)

    def test_sent_again_while_the_first_is_being_stored(self) -> None:
        """A line whose first sending is still on its way when the program comes back stands once."""
        peer = self._program(name="bot")
        self.world.held.holding = True
        peer.ask("say", room="lobby", text="hi", key="k")
        token = peer.messages[0]["session"]
        peer.reset()
        peer = self._program(name="bot", resume=token)
        again = peer.ask("say", room="lobby", text="hi", key="k")
        self.world.held.holding = False
        self.world.held.release()
        self.world.pass_seconds(1)
        self.assertEqual(peer.answer(again), {"type": "ok", "re": again, "room": "lobby", "seq": 1, "again": True})
        self.assertEqual([event["text"] for event in peer.events("lobby")], ["hi"])

    def test_twice_in_one_batch(self) -> None:
        """A line that comes twice before either is being stored stands once."""
        peer = self._program(name="bot")
        self.world.held.holding = True
        peer.ask("say", room="lobby", text="something else")
        first, again = (peer.ask("say", room="lobby", text="hi", key="k") for _ in range(2))
        self.world.held.holding = False
        self.world.held.release()
        self.world.pass_seconds(1)
        self.assertEqual(peer.answer(first), {"type": "ok", "re": first, "room": "lobby", "seq": 2})
        self.assertEqual(peer.answer(again), {"type": "ok", "re": again, "room": "lobby", "seq": 2, "again": True})
        self.assertEqual([event["text"] for event in peer.events("lobby")], ["something else", "hi"])
