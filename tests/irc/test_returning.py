"""Coming back by name and ``PASS``: the same person, in the same rooms, without a gap."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import World, now
from tests.irc.client import IrcClient, come
from twistedchat.session import Session

WORD = "a word of mine"
ALL = ("batch", "message-tags", "server-time", "echo-message")


class ReturningCase(SynchronousTestCase):
    """A server, and somebody who talks there."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.bob = come(self.world, "bob", rooms=["den"])

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def said(self, *texts: str) -> None:
        for text in texts:
            self.bob.say(f"PRIVMSG #den :{text}")
            self.world.pass_seconds(1)

    def away(self) -> str | None:
        """Why ann is away; None if there is nobody of that name."""
        profile = self.world.hub.people.profile("ann")
        return profile.away if profile is not None else None

    def shown(self, client: IrcClient) -> list[str]:
        """The texts that were said to the room, as they are shown, and what HistServ tells."""
        news = [line.partition(" :") for line in client.news()]
        return [text for head, _, text in news if " PRIVMSG " in f" {head} " or "HistServ" in head]


class StayTests(ReturningCase):
    def test_told(self) -> None:
        """Who gave a word is told what it is good for; a short one counts as none."""
        told = [line for line in come(self.world, "ann", word=WORD).news() if " NOTICE " in line]
        self.assertIn("kept for 10 minutes", told[0])
        self.assertEqual([line for line in come(self.world, "eve", word="short").news() if " NOTICE " in line], [])

    def test_nobody_sees(self) -> None:
        """Of a loss and a return nobody else is told; meanwhile the person is away, and hears nothing."""
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        self.world.pass_seconds(1)
        self.bob.news()
        ann.reset()
        self.world.pass_seconds(100)
        self.assertEqual(self.away(), "connection lost")
        self.bob.say("PRIVMSG ann :hi")
        self.assertIn(" 401 ", self.bob.news()[0])
        come(self.world, "ANN", word=WORD)
        self.world.pass_seconds(1)
        self.assertEqual(self.bob.news(), [])
        self.assertEqual(self.away(), "")

    def test_left(self) -> None:
        """Who does not come back has left after ten minutes; who quits, at once."""
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        ann.vanish()
        self.world.pass_seconds(599)
        self.assertIsNotNone(self.world.hub.people.profile("ann"))
        self.world.pass_seconds(2)
        self.assertIsNone(self.world.hub.people.profile("ann"))
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        ann.say("QUIT :bye")
        self.world.pass_seconds(1)
        self.assertIsNone(self.world.hub.people.profile("ann"))

    def test_wrong_word(self) -> None:
        """Another word is as none: 433, and the connection stays for another name."""
        come(self.world, "ann", word=WORD).vanish()
        eve = come(self.world, "ann", word="another word")
        self.assertIn(" 433 ", eve.news()[-1])
        eve.say("NICK eve")
        self.assertIn(" 001 eve ", eve.news()[0])

    def test_guessing(self) -> None:
        """After five wrong words the name is refused for a minute, with the right one, too."""
        come(self.world, "ann", word=WORD, rooms=["den"]).vanish()
        for number in range(5):
            self.assertIn(" 433 ", come(self.world, "ann", word=f"guess number {number}").news()[-1])
        ann = come(self.world, "ann", word=WORD)
        self.assertIn(" 433 ", ann.news()[-1])
        self.world.pass_seconds(55)
        ann.say("NICK ann")
        self.assertIn(" 433 ", ann.news()[-1])
        ann = come(self.world, "ann", word=WORD)
        self.world.pass_seconds(6)
        ann.say("NICK ann")
        self.assertIn(" JOIN #den", " ".join(ann.news()))

    def test_word_of_pass(self) -> None:
        """It is 8 to 100 bytes, and may have spaces in it, with a colon or without; after registering it is refused."""
        for word, is_one in (("x" * 7, False), ("x" * 8, True), ("é" * 50, True), ("é" * 50 + "x", False)):
            client = come(self.world, f"p{len(word)}", word=word)
            self.assertEqual("kept for 10 minutes" in " ".join(client.news()), is_one)
        come(self.world, "ann", word=f":{WORD}", rooms=["den"]).vanish()
        ann = come(self.world, "ann", word=WORD)
        self.assertIn(" JOIN #den", " ".join(ann.news()))
        ann.say("PASS another word")
        self.assertIn(" 462 ", ann.news()[0])

    def test_asked_every_30_seconds(self) -> None:
        """A client that is shown something is asked at the latest 30 s later; one that is shown nothing is not."""
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        self.world.pass_seconds(60)
        count = ann.received.count(b"seen-")
        self.said("one")
        self.world.pass_seconds(30)
        self.assertEqual(ann.received.count(b"seen-"), count + 1)
        self.world.pass_seconds(60)
        self.assertEqual(ann.received.count(b"seen-"), count + 1)

    def test_still_there(self) -> None:
        """While the old connection answers a PING, the newcomer gets 433; a silent one is closed after 5 s."""
        old = come(self.world, "ann", word=WORD, rooms=["den"])
        new = come(self.world, "ann", word=WORD)
        self.world.pass_seconds(6)
        self.assertIn(" 433 ", new.news()[-1])
        old.answers_pings = False
        new.say("NICK ann")
        self.world.pass_seconds(4)
        self.assertFalse(old.over)
        self.assertEqual(new.news(), [])
        self.world.pass_seconds(2)
        self.assertTrue(old.over)
        self.assertIn("ERROR :Closing link: Another connection has taken your session up", old.news())
        self.assertIn(" 001 ann ", new.news()[0])
        self.said("hello")
        self.assertEqual(self.shown(new), ["hello"])
        self.world.pass_seconds(700)
        new.say("PRIVMSG #den :I stay")
        self.assertIn("I stay", self.bob.news()[-1])

    def test_gone_while_asking(self) -> None:
        """A newcomer that is gone before the old connection has answered has taken nothing."""
        old = come(self.world, "ann", word=WORD, rooms=["den"])
        old.answers_pings = False
        new = come(self.world, "ann", word=WORD)
        new.reset()
        self.world.pass_seconds(10)
        self.said("still here?")
        self.assertEqual(self.shown(old), ["still here?"])


class MissedTests(ReturningCase):
    def test_notices(self) -> None:
        """Without capabilities: what was missed as ever, between two notices, and then what is live."""
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        self.said("one")
        self.world.pass_seconds(31)
        ann.reset()
        self.said("two", "three")
        ann = come(self.world, "ann", word=WORD)
        self.said("four")
        opening, *texts, closing, live = self.shown(ann)
        self.assertRegex(opening, r"^\*\*\* 2 lines that you missed, said from \S+ to \S+:$")
        self.assertEqual((texts, closing, live), (["two", "three"], "*** From here on it is live.", "four"))

    def test_welcome(self) -> None:
        """After the welcome comes each room: JOIN, topic, names, then what was missed; a JOIN of it then is nothing."""
        ann = come(self.world, "ann", word=WORD, rooms=["den", "attic"])
        self.bob.say("TOPIC #den :what it is about")
        self.world.pass_seconds(31)
        ann.reset()
        ann = come(self.world, "ann", word=WORD)
        news = ann.news()
        start = next(number for number, line in enumerate(news) if " JOIN " in line)
        words = [line.split(" ")[1] for line in news[start:]]
        self.assertEqual(words, ["JOIN", "332", "333", "353", "366", "JOIN", "353", "366"])
        ann.say("JOIN #den,#attic")
        self.assertEqual(ann.news(), [])

    def test_batches(self) -> None:
        """With batches and tags: in batches, with the ids that the lines have; lines of the last 30 s come twice."""
        ann = come(self.world, "ann", *ALL, word=WORD, rooms=["den"])
        self.said("one")
        first = ann.news()
        ann.reset()
        self.said("two")
        ann = come(self.world, "ann", *ALL, word=WORD)
        self.said("three")
        news = ann.news()
        start = next(number for number, line in enumerate(news) if "BATCH +" in line)
        opening, one, two, closing, three = news[start:]
        reference = opening.partition("+")[2].split(" ")[0]
        self.assertEqual(opening, f":irc.chatroom BATCH +{reference} chathistory #den")
        self.assertEqual(one, first[0].replace("@", f"@batch={reference};", 1))
        self.assertIn(f"@batch={reference};time=", two)
        self.assertEqual((closing, three[:6]), (f":irc.chatroom BATCH -{reference}", "@time="))

    def test_own_lines(self) -> None:
        """What one said before the loss is shown like any other's, once it is not known to have arrived."""
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        ann.say("PRIVMSG #den :mine")
        self.world.pass_seconds(1)
        self.assertEqual(self.shown(ann), [])
        ann.reset()
        ann = come(self.world, "ann", word=WORD)
        self.assertEqual(self.shown(ann)[1:-1], ["mine"])

    def test_asks(self) -> None:
        """A client that asks for history is shown what is new."""
        ann = come(self.world, "ann", "draft/chathistory", "batch", word=WORD, rooms=["den"])
        ann.reset()
        self.said("one")
        ann = come(self.world, "ann", "draft/chathistory", "batch", word=WORD)
        self.said("two")
        self.assertEqual(self.shown(ann), ["two"])

    def test_removed_meanwhile(self) -> None:
        """Who was removed from a room while the connection was lost is not in it."""
        ann = come(self.world, "ann", word=WORD, rooms=["attic", "den"])
        ann.reset()
        bob = now(self.world.hub.people.find("bob"))
        assert isinstance(bob, Session)
        now(bob.kick("den", "ann", "enough"))
        ann = come(self.world, "ann", word=WORD)
        self.assertEqual([line.split(" ")[2] for line in ann.news() if " JOIN " in line], ["#attic"])

    def test_many(self) -> None:
        """However much was missed, and however slowly it is taken, it comes once, in order, before what is live."""
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        self.world.pass_seconds(31)
        ann.reset()
        texts = [f"{number} {'x' * 300}" for number in range(1500)]
        self.bob.say(*(f"PRIVMSG #den :{text}" for text in texts))
        self.world.pass_seconds(5)
        ann = come(self.world, "ann", word=WORD, buffer_bytes=3000)
        self.said("live")
        self.world.pass_seconds(5)
        shown = self.shown(ann)
        self.assertTrue(shown[0].startswith("*** 1,500 lines that you missed"))
        self.assertEqual(shown[1:], [*texts, "*** From here on it is live.", "live"])

    def test_log_lost(self) -> None:
        """If the log has lost its end, what is said there anew is not taken for what had arrived."""
        ann = come(self.world, "ann", word=WORD, rooms=["den"])
        self.said("one", "two", "three")
        self.world.pass_seconds(31)
        self.world.held.go_back(1, "den")
        self.said("new two")
        self.world.pass_seconds(31)
        ann.reset()
        self.said("new three")
        ann = come(self.world, "ann", word=WORD)
        self.assertEqual(self.shown(ann)[1:-1], ["new three"])
        session = now(self.world.hub.people.find("ann"))
        assert isinstance(session, Session)
        self.world.pass_seconds(31)
        self.assertEqual(session.arrived, {"den": 3})
        self.assertIn("ends at 1", self.world.faults.pop())
