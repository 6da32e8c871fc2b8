"""Real irssi, WeeChat, ii and nc in one room with telnet and a program: what each has in its log at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.callers import Caller, Program, exchange, until
from tests.live.irc.clients import Ii, Irssi, Nc, WeeChat
from tests.live.irc.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.irc.client import Client

CLIENTS = (Irssi, WeeChat, Ii, Nc)

WORD = "a word of some length"
"""What is sent as PASS; it has spaces, as irssi sends them."""

pytestmark = [
    pytest.mark.xdist_group("irc"),
    pytest.mark.skipif(
        not any(kind.is_installed() for kind in CLIENTS[:3]), reason="needs irssi, weechat-headless or ii"
    ),
]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as stage:
        yield stage


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage on which all clients are already; no test ends anything of it."""
    with Stage(tmp_path_factory.mktemp("company")) as stage:
        stage.come(*CLIENTS)
        yield stage


def everybody_talks(stage: Stage, ann: Caller, bot: Program, mark: str) -> None:
    """Each says a line and does something, in an order of its own making; all are shown all of it."""
    for client in stage.clients:
        client.say(f"{mark}: {client.name} says this")
        client.act(f"{mark}: {client.name} does this")
    ann.say(f"{mark}: ann says this", f"/me {mark}: ann does this")
    bot.call("say", room="lobby", text=f"{mark}: bot says this")
    names = ["ann", *(client.name for client in stage.clients)]
    texts = [f"{mark}: {name} {what} this" for name in names for what in ("says", "does")] + [f"{mark}: bot says this"]
    exchange([ann, bot], lambda: all(map(ann.heard, texts)) and all(map(bot.heard, texts)), f"{texts} are shown")
    for client in stage.clients:
        own = {text for text in texts if f": {client.name} " in text}
        stage.wait_until_shown(*(text for text in texts if text not in own), clients=[client])


def all_is_there(stage: Stage, client: Client, *, doubles: bool = False, after: int = 0) -> None:
    """Nothing stands in the daemon's log that the client was not shown, and nothing was shown twice."""
    missing, doubled = stage.judge(client, stage.log(), after)
    assert missing == [], (client.name, client.log())
    assert doubles or doubled == [], (client.name, client.log())


def test_talk(company: Stage) -> None:
    """They register, enter, and are members like any other; everybody is shown the same lines in the same order."""
    stage, ann, bot = company, company.person("ann"), company.program("bot")
    names = {client.name for client in stage.clients}
    assert names <= set(bot.call("who", room="lobby")["members"])
    everybody_talks(stage, ann, bot, "one")
    for client in stage.clients:
        client.raw(f"NOTICE #lobby :{client.name} notes this")
    stage.wait_until_shown(
        *(f"{name} notes this" for name in names - {"ii"}),
        clients=[client for client in stage.clients if client.name == "ii"],
    )
    exchange(
        [ann],
        lambda: all(ann.heard(f"-{name}- {name} notes this") for name in names),
        f"ann is shown the notices: {ann.lines}",
        10,
    )
    for client in stage.clients:
        all_is_there(stage, client)


def test_history(stage: Stage) -> None:
    """Who comes later is shown what was said before, as such, and asks for more of it by hand."""
    bot = stage.program("bot")
    said = [f"line {number} of before" for number in range(30)]
    for text in said:
        bot.call("say", room="lobby", text=text)
    bot.call("me", room="lobby", text="does the last of before")
    stage.come(*CLIENTS)
    stage.wait_until_shown("does the last of before")
    for client in stage.clients:
        assert client.texts() == [*said[-19:], "does the last of before"], client.log()
        client.raw("HISTORY #lobby 500")
    stage.wait_until_shown(*said)


def test_killed(stage: Stage) -> None:
    """The daemon is killed while all talk, and starts again: what anybody was shown is in everybody's log."""
    ann, bot = stage.person("ann"), stage.program("bot")
    stage.come(*CLIENTS, password=WORD)
    everybody_talks(stage, ann, bot, "before")
    stage.daemon.kill()
    stage.daemon.start()
    for client in stage.clients:
        client.come_back()
    ann, bot = stage.person("ann"), stage.program("bot")
    bot.call("say", room="lobby", text="said while some are still coming back")
    stage.wait_for_entries(2)
    everybody_talks(stage, ann, bot, "after")
    for client in stage.clients:
        all_is_there(stage, client, doubles=True)


def test_cut(stage: Stage) -> None:
    """Connections are cut while all talk; with PASS each comes back as it was; nobody sees it, nothing is missed."""
    ann, bot = stage.person("ann"), stage.program("bot")
    stage.come(*CLIENTS, password=WORD)
    everybody_talks(stage, ann, bot, "before")
    stage.proxy.is_cut = True
    until(lambda: not stage.proxy.peers, "all are cut off")
    # More than is shown to somebody who just enters.
    for number in range(100):
        bot.call("say", room="lobby", text=f"line {number} while they are away")
    stage.proxy.is_cut = False
    for client in stage.clients:
        client.come_back()
    stage.wait_for_entries(2)
    stage.wait_until_shown("line 99 while they are away")
    everybody_talks(stage, ann, bot, "after")
    for client in stage.clients:
        all_is_there(stage, client, doubles=True)
        assert not ann.heard(f"{client.name} has left"), ann.lines
        assert not ann.heard(f"{client.name} is gone"), ann.lines


def test_client_killed(stage: Stage) -> None:
    """Whoever kills the client, and starts it again, goes on where it stopped; nobody sees it."""
    ann, bot = stage.person("ann"), stage.program("bot")
    stage.come(*CLIENTS, password=WORD)
    everybody_talks(stage, ann, bot, "before")
    for client in stage.clients:
        client.kill()
    for number in range(30):
        bot.call("say", room="lobby", text=f"line {number} while they are away")
    for client in stage.clients:
        client.start(stage.proxy.port)
    stage.wait_until_shown("line 29 while they are away")
    everybody_talks(stage, ann, bot, "after")
    for client in stage.clients:
        all_is_there(stage, client, doubles=True)
        assert not ann.heard(f"*** {client.name} has left"), ann.lines


@pytest.mark.skipif(not Ii.is_installed(), reason="needs ii")
def test_silent_loss(stage: Stage) -> None:
    """Who comes back while the old connection still seems open, and answers nothing, takes its place all the same."""
    bot = stage.program("bot")
    stage.come(Ii, password=WORD)
    bot.call("say", room="lobby", text="one")
    stage.wait_until_shown("one")
    stage.proxy.is_hole = True
    bot.call("say", room="lobby", text="two")
    [client] = stage.clients
    client.kill()
    with stage.another_way() as port:
        client.start(port)
        stage.wait_until_shown("two")
        client.say("three")
        exchange([bot], lambda: bot.heard("three"), "it is said under the same name")
        all_is_there(stage, client, doubles=True)
        assert stage.roster().count(client.name) == 1


def test_two_with_one_word(stage: Stage) -> None:
    """A client that is there, and answers, is not taken the name from by another one that has its word, too."""
    stage.come(Irssi, WeeChat, Ii, password=WORD)
    others = [Caller(stage.proxy.port) for _ in stage.clients]
    for client, other in zip(stage.clients, others, strict=True):
        other.say(f"PASS {WORD}", f"NICK {client.name}", "USER x 0 * :x")
    exchange(others, lambda: all(other.heard(" 433 ") for other in others), "they are refused the names", 4)
    for other in others:
        other.close()


def test_private_lines(company: Stage) -> None:
    """What is said to one person is shown to that person alone, whatever either of them has."""
    stage, ann = company, company.person("anna")
    for client in stage.clients:
        ann.say(f"/msg {client.name} anna to {client.name}")
        client.raw(f"PRIVMSG anna :{client.name} to anna")
        for other in stage.clients:
            if other is not client:
                client.raw(f"PRIVMSG {other.name} :{client.name} to {other.name}")
    texts = [f"{client.name} to anna" for client in stage.clients]
    exchange([ann], lambda: all(map(ann.heard, texts)), "ann is shown them")
    for client in stage.clients:
        for name in {"anna", *(other.name for other in stage.clients)} - {client.name}:
            text = f"{name} to {client.name}"
            until(lambda c=client, n=name, t=text: t in c.texts(n), f"{text}: {client.log(name)}")  # type: ignore[misc]
        assert not any(f" to {client.name}" in text for text in client.texts()), client.log()
    assert not any(" to " in event["text"] for event in stage.log())


def test_leaving(stage: Stage) -> None:
    """Whoever leaves is seen to leave once, with the reason."""
    ann = stage.person("ann")
    stage.come(*CLIENTS)
    first, *others = stage.clients
    # Of who comes and goes at once nothing is told at telnet.
    exchange([ann], lambda: all(ann.heard(client.name) for client in stage.clients), "ann knows them")
    for client in others:
        client.raw(f"QUIT :{client.name} goes")
    for client in others:
        until(lambda client=client: f"Quit: {client.name} goes" in str(first.log()), f"told: {first.log()}")  # type: ignore[misc]
        assert str(first.log()).count(f"{client.name} goes") == 1
    exchange([ann], lambda: "left" in ann.lines[-1], "ann is told, of all of them at once or one by one")
    assert sorted(stage.roster()) == ["ann", first.name]


def test_port_for_people(tmp_path: Path) -> None:
    """Without a port of its own IRC is understood at the port for people, too, when the first line can be no name."""
    with Stage(tmp_path, irc_is_apart=False) as stage:
        ann, bot = stage.person("ann"), stage.program("bot")
        stage.come(Irssi, WeeChat, Ii, Nc, password=WORD)
        everybody_talks(stage, ann, bot, "one")
        for client in stage.clients:
            all_is_there(stage, client)


def test_ranks_topics_and_names(company: Stage) -> None:
    """Who makes a room has ``@``; topics, ranks, new names and removals are seen by all clients."""
    stage = company
    first, *others = stage.clients
    first.raw("JOIN #den")
    until(lambda: first.entries("#den") == 1, "the room is made")
    for client in others:
        client.raw("JOIN #den")
        until(lambda client=client: client.entries("#den") == 1, f"{client.name} is in")  # type: ignore[misc]
    first.raw("TOPIC #den :tea and cake")
    first.raw(f"MODE #den +v {others[0].name}")
    for client in stage.clients:
        until(lambda client=client: "tea and cake" in str(client.log("#den")), f"{client.log('#den')}")  # type: ignore[misc]
        until(lambda client=client: "+v" in str(client.log("#den")), f"{client.log('#den')}")  # type: ignore[misc]
    first.raw(f"KICK #den {others[-1].name} :not in here")
    for client in stage.clients:
        until(lambda client=client: "not in here" in str(client.log("#den")), f"{client.log('#den')}")  # type: ignore[misc]
