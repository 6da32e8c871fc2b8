from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.world import ClientWorld
from twistedchat.client.controller import Controller
from twistedchat.client.screen import TerminalScreen
from twistedchat.client.screen_keys import CERTAIN_SECONDS


class ScreenTests(SynchronousTestCase):
    """A person at a full screen that is not drawn, with a server in memory."""

    @override
    def setUp(self) -> None:
        self.server = ClientWorld()
        self.addCleanup(self.server.close)
        self.controller = Controller("ann", self.server.reactor.seconds)
        self.screen = TerminalScreen(self.controller)
        self.controller.enter("lobby")
        self.server.open(self.controller.conversation)

    def rows(self, height: int = 8, width: int = 60) -> list[str]:
        """What stands on the screen, without the times, and rules in short."""
        self.server.run()
        rows = ["".join(text for _, text in row) for row in self.screen.keys.visible(width, height)]
        rows = [re.sub(r"^\d\d:\d\d:\d\d", "TIME", row) for row in rows]
        return [re.sub(r"─+", "─", re.sub(r"\w+day .* \d{4}", "DAY", row)) for row in rows]

    def status(self) -> str:
        return "".join(text for _, text in self.screen.keys.status())

    def test_a_line_settles(self) -> None:
        """What is typed stands there at once as pending, and takes its place when it is stored."""
        self.screen.keys.typed("hi")
        before = ["".join(text for _, text in row) for row in self.screen.keys.visible(60, 8)]
        assert before[-1] == "…        ann: hi"
        assert self.rows() == ["*** You are ann, in #lobby with bob.", "─ DAY ─", "TIME ann: hi"]
        assert self.status() == " #lobby  2 people  connected"

    def test_lines_wait(self) -> None:
        """Without a connection they wait, marked, and go out in order."""
        self.server.down = True
        self.server.lose()
        self.screen.keys.typed("one")
        self.screen.keys.typed("two")
        assert self.rows()[-2:] == ["waiting  ann: one", "waiting  ann: two"]
        assert self.status() == " #lobby  2 people  reconnecting in 1 s  2 waiting"
        self.server.down = False
        self.server.pass_seconds(1)
        assert self.rows()[-2:] == ["TIME ann: one", "TIME ann: two"]

    def test_a_refused_line(self) -> None:
        """A line that is refused goes, and the reason stands there."""
        self.controller.say("")
        assert self.rows()[-1] == "*** There is nothing to say: give a text."

    def test_a_full_disk(self) -> None:
        """A line that can't be stored now stays in sight; the reason is told once."""
        self.server.break_disk()
        self.screen.keys.typed("hi")
        self.server.pass_seconds(20)
        assert " ".join("".join(self.rows()).split()).count("sent again until it is stored") == 1
        assert self.rows()[-1] == "…        ann: hi"
        self.server.mend_disk()
        self.server.pass_seconds(5)
        assert self.rows()[-1] == "TIME ann: hi"

    def test_other_rooms(self) -> None:
        """Other rooms count what is unread; a mark stands where one left off."""
        self.server.person("bob", "dev")
        self.server.say("seen")
        self.screen.keys.typed("/join dev")
        self.rows()
        assert self.status() == " #dev  2 people  connected  1:#lobby"
        self.server.say("unseen")
        self.server.say("ann, here")
        assert self.status() == " #dev  2 people  connected  1:#lobby 2!"
        self.screen.keys.switch_to(0)
        assert self.rows()[-4:] == ["TIME bob: seen", "─ new ─", "TIME bob: unseen", "TIME bob: ann, here"]
        assert self.status() == " #lobby  2 people  connected  2:#dev"
        self.screen.keys.switch(1)
        assert self.controller.here.name == "dev"
        self.screen.keys.switch(1)
        self.screen.keys.switch_to(7)
        assert self.controller.here.name == "lobby"

    def test_reading_back(self) -> None:
        """The log is read back by pages to its beginning; what comes meanwhile disturbs nothing."""
        self.server.lose()
        for number in range(1, 501):
            self.server.say(f"line {number}")
        self.controller.conversation.rooms["lobby"].after = 480
        self.server.pass_seconds(1)
        assert self.rows()[-1] == "TIME bob: line 500"
        self.screen.keys.scroll(1)
        assert self.rows()[-1] == "TIME bob: line 493"
        before = self.rows()
        self.server.say("more")
        assert self.rows() == before
        for _ in range(100):
            self.screen.keys.scroll(1)
            self.rows()
        assert self.rows()[:3] == ["─ DAY ─", "TIME bob: line 1", "TIME bob: line 2"]
        assert "reading back" in self.status()
        self.screen.keys.scroll(-1)
        assert self.rows()[-1] == "TIME bob: line 14"
        self.screen.keys.typed("/since 250")
        assert self.rows()[0] == "TIME bob: line 251"
        self.screen.keys.scroll_down()
        assert self.rows()[-1] == "TIME bob: more"

    def test_pages_of_the_past(self) -> None:
        """/history shows a page again, at the end."""
        for number in range(1, 31):
            self.server.say(f"line {number}")
        self.screen.keys.typed("/history 2 before 3")
        assert self.rows()[-3:] == ["TIME bob: line 1", "TIME bob: line 2", "*** That is all."]

    def test_another_zone(self) -> None:
        """/set zone shows times and days of that zone, also of what stands there already."""
        self.server.say("late")
        for zone, time, day in (
            ("Asia/Tokyo", "17:30:00", "22"),
            ("Pacific/Kiritimati", "22:30:00", "22"),
            ("Pacific/Pago_Pago", "21:30:00", "21"),
        ):
            self.screen.keys.typed(f"/set zone {zone}")
            shown = ["".join(text for _, text in row) for row in self.screen.keys.visible(60, 8)]
            assert f"{time} bob: late" in shown
            assert any(f"day {day} November 2026" in row for row in shown)

    def test_a_log_that_lost_its_end(self) -> None:
        """What stood there is gone from the screen, and a sentence says why."""
        for text in "abc":
            self.server.say(text)
        self.rows()
        self.server.forget_logs()
        self.server.pass_seconds(1)
        assert "you had seen 3" in " ".join(" ".join(self.rows()).split())
        self.server.say("new")
        assert self.rows()[-1] == "TIME bob: new"
        assert not any(row.endswith(("a", "b", "c")) for row in self.rows() if row.startswith("TIME"))

    def test_tab(self) -> None:
        """One meaning is taken, several are taken as far as they agree, and then shown."""
        assert self.screen.keys.complete("b") == (1, "bob: ")
        assert self.screen.keys.complete("/h") == (0, "")
        assert self.rows()[-1] == "*** /help  /history"
        assert self.screen.keys.complete("/un") == (3, "/unignore ")
        assert self.screen.keys.complete("xyz") == (0, "")

    def test_interrupting(self) -> None:
        """Ctrl-C twice within a moment leaves; once, or over a line that is typed, it does not."""
        self.screen.keys.interrupted(typing=False)
        self.server.pass_seconds(CERTAIN_SECONDS)
        self.screen.keys.interrupted(typing=False)
        self.screen.keys.interrupted(typing=True)
        assert not self.screen.done.called
        self.screen.keys.interrupted(typing=False)
        assert self.screen.done.called

    def test_leaving_with_lines_unsent(self) -> None:
        """It is told, and done as soon as they are stored."""
        self.server.lose()
        self.screen.keys.typed("hi")
        self.screen.keys.typed("/quit")
        assert not self.screen.done.called
        assert "1 line is not stored yet" in " ".join(self.rows())
        self.server.pass_seconds(1)
        self.server.run()
        assert self.screen.done.called

    def test_leaving_all_the_same(self) -> None:
        """Or by asking again."""
        self.server.lose()
        self.screen.keys.typed("hi")
        self.screen.finish()
        self.screen.finish()
        assert self.screen.done.called
