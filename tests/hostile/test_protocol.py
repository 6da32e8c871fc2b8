"""What the protocol has gained since its first version, as a stranger meets it."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.crowd import crowd, drive, request
from tests.live.daemon import Caller, Daemon, exchange
from tests.live.test_daemon import CHATROOM, FEW_FILES, FREE_PORT, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOG = re.compile(r"[a-z0-9]{8}")
"""A log's identity. Source: docs/protocol.md."""

LINGER_SECONDS = 60
"""How long a lost session stays. Source: docs/protocol.md, "Coming back"."""

RESERVED = [
    *("NickServ", "ChanServ", "MemoServ", "OperServ", "HostServ", "BotServ", "SaslServ", "HistServ"),
    *("Global", "Services", "nickserv", "Ni\u0441kServ"),
]
"""Names that nobody may have, and some that look like them. Source: docs/protocol.md, "Names and rooms"."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--rate=0", "--login-timeout=3") as running:
        yield running
        assert "Traceback" not in running.log


def last_message(caller: Caller) -> dict[str, Any]:
    """What it was told last, when the connection has ended."""
    exchange([caller], lambda: caller.over, "it is closed")
    assert not caller.was_reset
    assert caller.lines, "nothing was told"
    assert caller.lines[-1].startswith("{"), caller.lines[-1]
    message: dict[str, Any] = json.loads(caller.lines[-1])
    return message


class TestClosing:
    def test_stopping(self, daemon: Daemon) -> None:
        """At a stop a program is told ``stopping``."""
        bot = daemon.program("bot")
        bot.call("ping")
        daemon.process.send_signal(signal.SIGTERM)
        message = last_message(bot)
        assert (message["type"], message.get("code")) == ("closing", "stopping"), message

    def test_taken_over(self, daemon: Daemon) -> None:
        """Whose session was taken up by another connection is told ``taken-over``."""
        bot = daemon.program("bot")
        bot.call("ping")
        token = next(message for message in bot.messages if message["type"] == "welcome")["session"]
        other = daemon.caller()
        other.say(request("hello", name="bot", resume=token))
        exchange([other], lambda: other.heard('"resumed":true'), "the session is taken up")
        message = last_message(bot)
        assert (message["type"], message.get("code")) == ("closing", "taken-over"), message

    def test_no_name(self, daemon: Daemon) -> None:
        """A program that has given no name in time is told ``no-name``."""
        caller = daemon.caller()
        caller.say(request("hello", name="not a name"))
        message = last_message(caller)
        assert (message["type"], message.get("code")) == ("closing", "no-name"), message

    def test_full(self, tmp_path: Path) -> None:
        """A program for which there is no place is told ``full``."""
        few_files = ("sh", "-c", f'ulimit -n {FEW_FILES} && exec "$@"', "-")
        daemon = Daemon(tmp_path)
        with crowd() as callers, started(daemon, *few_files, *CHATROOM, FREE_PORT):
            while not any(caller.over for caller in callers):
                assert len(callers) < FEW_FILES, "all were let in"
                caller = Caller(daemon.port)
                callers.append(caller)
                caller.say(request("hello", name=f"bot{len(callers)}"))
                drive(callers, lambda: caller.over or caller.heard('"welcome"'), "it is answered")  # noqa: B023  called before the loop goes on
            told = [json.loads(line) for line in callers[-1].lines if line.startswith("{")]
        assert [(message["type"], message.get("code")) for message in told] == [("closing", "full")], callers[-1].lines


class TestLog:
    def test_identity(self, daemon: Daemon) -> None:
        """``welcome`` and ``joined`` have the log's identity, the same after a restart on the same file."""
        seen = []
        for _ in range(2):
            bot = daemon.program("bot")
            joined = bot.call("join", room="lobby")
            welcome = next(message for message in bot.messages if message["type"] == "welcome")
            seen += [welcome.get("log"), joined.get("log")]
            bot.ask("quit")
            exchange([bot], lambda: bot.over, "it has left")  # noqa: B023  called before the loop goes on
            daemon.stop()
            daemon.start()
        assert len(set(seen)) == 1, seen
        assert LOG.fullmatch(str(seen[0])), seen

    def test_another_log(self, tmp_path: Path) -> None:
        """Two logs have two identities."""
        seen = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            with Daemon(folder) as daemon:
                bot = daemon.program("bot")
                bot.call("ping")
                seen.append(next(message for message in bot.messages if message["type"] == "welcome").get("log"))
        assert None not in seen
        assert seen[0] != seen[1]

    def test_log_that_has_lost_its_end(self, daemon: Daemon) -> None:
        """Who asks for what came after a seq beyond the last is told the last one."""
        bot = daemon.program("bot")
        assert bot.call("join", room="lobby", after=1000)["seq"] == 0


class TestNames:
    def test_free_in(self, daemon: Daemon) -> None:
        """``name-taken`` says when the name of a lost session is free, and nothing of that for one who is here."""
        bot = daemon.program("bot")
        bot.call("ping")
        other = daemon.caller()
        other.say(request("hello", name="bot", id=1))
        exchange([other], lambda: other.heard('"re":1'), "the name is taken")
        refusals = [json.loads(line) for line in other.lines if '"re":1' in line]
        assert refusals[0]["code"] == "name-taken"
        assert "free_in" not in refusals[0]
        bot.reset()
        watcher = daemon.program("watcher")
        watcher.call("ping")
        other.say(request("hello", name="bot", id=2))
        exchange([other], lambda: other.heard('"re":2'), "the name is still taken")
        [refusal] = [json.loads(line) for line in other.lines if '"re":2' in line]
        assert refusal["code"] == "name-taken"
        assert 0 < refusal.get("free_in", 0) <= LINGER_SECONDS, refusal

    @pytest.mark.parametrize("name", ["[bot]", "{bot}", "a\\b", "a|b", "a^b", "`bot`", "bot[away]", "x_{|}\\^`"])
    def test_of_irc(self, daemon: Daemon, name: str) -> None:
        """Brackets, braces, backslash, bar, caret and backquote may stand in the name of a person, at both doors.

        But for a first brace: a first line that begins with one opens JSON lines.
        """
        bot = daemon.program(name)
        bot.call("ping")
        welcome = [message for message in bot.messages if message["type"] in {"welcome", "error"}]
        assert welcome[0].get("name") == name, welcome
        assert bot.call("rename", name="somebody")["type"] == "ok"
        if name[0] != "{":
            person = daemon.caller()
            person.say(name)
            exchange([person], lambda: person.received.count(b"\n") > 2, "it is answered")
            assert person.heard(f"*** You are {name},"), person.lines
        refused = bot.call("join", room=name)
        assert refused.get("code") == "bad-room", refused

    def test_reserved(self, daemon: Daemon) -> None:
        """The names of services are nobody's, at any door, nor can anybody be renamed to them."""
        got = []
        renamed = daemon.program("bot")
        for name in RESERVED:
            program, person = daemon.caller(), daemon.caller()
            program.say(request("hello", name=name, id=1))
            person.say(name)
            exchange([program, person], lambda: program.heard('"re":1') and person.heard("***"), name)  # noqa: B023  called before the loop goes on
            got += [f"{name} (json)"] * program.heard('"welcome"') + [f"{name} (telnet)"] * person.heard("You are ")
            if renamed.call("rename", name=name)["type"] == "ok":
                got.append(f"{name} (rename)")
                renamed.call("rename", name="bot")
            program.close()
            person.close()
        assert not got, f"was given: {got}"
