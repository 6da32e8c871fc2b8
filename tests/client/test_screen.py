from __future__ import annotations

import re

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import FIRST_SECOND, FakeServer, connect
from twistedchat.client.desk import Desk
from twistedchat.client.screen import CERTAIN_SECONDS, Screen


class ScreenTests(SynchronousTestCase):
    """A person at a full screen that is not drawn, with a server in memory."""

    @override
    def setUp(self) -> None:
        self.server, self.clock = FakeServer(), Clock()
        self.clock.rightNow = FIRST_SECOND + 3600.0
        self.desk = Desk("ann", self.clock.seconds)
        self.screen = Screen(self.desk)
        self.desk.enter("lobby")
        connect(self.server, self.desk.conversation, self.clock)

    def rows(self, height: int = 8, width: int = 60) -> list[str]:
        """What stands on the screen, without the times, and rules in short."""
        self.server.run()
        rows = ["".join(text for _, text in row) for row in self.screen.visible(width, height)]
        rows = [re.sub(r"^\d\d:\d\d:\d\d", "TIME", row) for row in rows]
        return [re.sub(r"─+", "─", re.sub(r"\w+day .* \d{4}", "DAY", row)) for row in rows]

    def status(self) -> str:
        return "".join(text for _, text in self.screen.status())

    def test_a_line_settles(self) -> None:
        """What is typed stands there at once as pending, and takes its place when it is stored."""
        self.screen.typed("hi")
        before = ["".join(text for _, text in row) for row in self.screen.visible(60, 8)]
        assert before[-1] == "…        ann: hi"
        assert self.rows() == ["*** You are ann, in #lobby with bob.", "─ DAY ─", "TIME ann: hi"]
        assert self.status() == " #lobby  2 people  connected"

    def test_lines_wait(self) -> None:
        """Without a connection they wait, marked, and go out in order."""
        self.server.down = True
        self.server.lose()
        self.screen.typed("one")
        self.screen.typed("two")
        assert self.rows()[-2:] == ["waiting  ann: one", "waiting  ann: two"]
        assert self.status() == " #lobby  2 people  reconnecting in 1 s  2 waiting"
        self.server.down = False
        self.clock.advance(1)
        assert self.rows()[-2:] == ["TIME ann: one", "TIME ann: two"]

    def test_a_refused_line(self) -> None:
        """A line that is refused goes, and the reason stands there."""
        self.server.failing = True
        self.screen.typed("hi")
        assert self.rows()[-1] == "*** The disk is full."

    def test_other_rooms(self) -> None:
        """Other rooms count what is unread; a mark stands where one left off."""
        self.server.say("seen")
        self.screen.typed("/join dev")
        self.rows()
        assert self.status() == " #dev  2 people  connected  1:#lobby"
        self.server.say("unseen")
        self.server.say("ann, here")
        assert self.status() == " #dev  2 people  connected  1:#lobby 2!"
        self.screen.switch_to(0)
        assert self.rows()[-4:] == ["TIME bob: seen", "─ new ─", "TIME bob: unseen", "TIME bob: ann, here"]
        assert self.status() == " #lobby  2 people  connected  2:#dev"
        self.screen.switch(1)
        assert self.desk.here.name == "dev"
        self.screen.switch(1)
        self.screen.switch_to(7)
        assert self.desk.here.name == "lobby"

    def test_reading_back(self) -> None:
        """The log is read back by pages to its beginning; what comes meanwhile disturbs nothing."""
        self.server.lose()
        for number in range(1, 501):
            self.server.say(f"line {number}")
        self.desk.conversation.rooms["lobby"].after = 480
        self.clock.advance(1)
        assert self.rows()[-1] == "TIME bob: line 500"
        self.screen.scroll(1)
        assert self.rows()[-1] == "TIME bob: line 493"
        before = self.rows()
        self.server.say("more")
        assert self.rows() == before
        for _ in range(100):
            self.screen.scroll(1)
            self.rows()
        assert self.rows()[:3] == ["─ DAY ─", "TIME bob: line 1", "TIME bob: line 2"]
        assert "reading back" in self.status()
        self.screen.scroll(-1)
        assert self.rows()[-1] == "TIME bob: line 14"
        self.screen.typed("/since 250")
        assert self.rows()[0] == "TIME bob: line 251"
        self.screen.scroll_down()
        assert self.rows()[-1] == "TIME bob: more"

    def test_pages_of_the_past(self) -> None:
        """/history shows a page again, at the end."""
        for number in range(1, 31):
            self.server.say(f"line {number}")
        self.screen.typed("/history 2 before 3")
        assert self.rows()[-3:] == ["TIME bob: line 1", "TIME bob: line 2", "*** That is where it began."]

    def test_tab(self) -> None:
        """One meaning is taken, several are taken as far as they agree, and then shown."""
        assert self.screen.complete("b") == (1, "bob: ")
        assert self.screen.complete("/h") == (0, "")
        assert self.rows()[-1] == "*** /help  /history"
        assert self.screen.complete("/un") == (3, "/unignore ")
        assert self.screen.complete("xyz") == (0, "")

    def test_interrupting(self) -> None:
        """Ctrl-C twice within a moment leaves; once, or over a line that is typed, it does not."""
        self.screen.interrupted(typing=False)
        self.clock.advance(CERTAIN_SECONDS)
        self.screen.interrupted(typing=False)
        self.screen.interrupted(typing=True)
        assert not self.screen.done.called
        self.screen.interrupted(typing=False)
        assert self.screen.done.called

    def test_leaving_with_lines_unsent(self) -> None:
        """It is told, and done as soon as they are stored."""
        self.server.lose()
        self.screen.typed("hi")
        self.screen.typed("/quit")
        assert not self.screen.done.called
        assert "1 line is not stored yet" in " ".join(self.rows())
        self.clock.advance(1)
        self.server.run()
        assert self.screen.done.called

    def test_leaving_all_the_same(self) -> None:
        """Or by asking again."""
        self.server.lose()
        self.screen.typed("hi")
        self.screen.finish()
        self.screen.finish()
        assert self.screen.done.called
