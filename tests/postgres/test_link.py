"""Connections over a real server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from tests.engines import LOOP, engine, live, new_database, new_engine, soon, until
from tests.postgres.cases import connected, link_to, proxied, sentence
from twistedchat.postgres.link import AnswerError, Link, LostError
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twistedchat.postgres.connection import Connection

OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture
def url() -> str:
    return new_database()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Where connections are taken, and nothing is ever said."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield silent.getsockname()[1]


def dead_port() -> int:
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        port: int = gone.getsockname()[1]
    return port


@live
async def test_calls(url: str) -> None:
    """Calls are done in the order asked, with parameters of every kind, and their rows come as texts."""
    async with link_to(url) as link:
        await soon(link.call("CREATE TABLE said (number int GENERATED ALWAYS AS IDENTITY, text text, raw bytea)"))
        insert = "INSERT INTO said (text, raw) VALUES ($1, $2)"
        await gatherResults([soon(link.call(insert, str(number), b"a\0\xff")) for number in range(20)])
        await soon(link.call(insert, None, None))
        rows = await soon(link.call("SELECT text, raw FROM said ORDER BY number"))
        assert rows == [*[(str(number), "\\x6100ff") for number in range(20)], (None, None)]


@live
async def test_errors_are_answers(url: str) -> None:
    """What the database refuses is told with its code, and the same connection goes on."""
    async with link_to(url) as link:
        ((before,),) = await soon(link.call("SELECT pg_backend_pid()"))
        with pytest.raises(AnswerError) as raised:
            await soon(link.call("SELECT 1 / $1::int", "0"))
        assert raised.value.sqlstate == "22012"
        assert "division by zero" in str(raised.value)
        assert await soon(link.call("SELECT pg_backend_pid()")) == [(before,)]


@live
async def test_what_is_no_text_is_not_sent(url: str) -> None:
    """A parameter that can't be UTF-8 is the caller's fault, and costs nobody the connection."""
    async with link_to(url) as link:
        with pytest.raises(UnicodeEncodeError):
            await soon(link.call("SELECT $1", "\ud800"))
        assert await soon(link.call("SELECT $1", "x")) == [("x",)]


@live
async def test_large_things(url: str) -> None:
    """More than the socket takes at once goes out, and comes back."""
    async with link_to(url) as link:
        large = "x" * (1 << 23)
        assert await soon(link.call("SELECT $1", large)) == [(large,)]


@live
async def test_often_done(url: str) -> None:
    """A statement that is done again and again gives the same as at first, also when what it uses was replaced."""
    async with link_to(url) as link:
        for number in range(8):
            text = f"CREATE OR REPLACE FUNCTION answer() RETURNS text LANGUAGE sql AS 'SELECT text ''{number}'''"
            await soon(link.call(text))
            assert await soon(link.call("SELECT answer(), $1", "x")) == [(str(number), "x")]


@live
async def test_a_row_is_no_answer_before_its_commit(url: str) -> None:
    """A statement whose row has come and whose commit fails is not taken for done."""
    async with link_to(url) as link:
        await soon(link.call("CREATE TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
        insert = "INSERT INTO once VALUES (1) RETURNING n"
        assert await soon(link.call(insert)) == [("1",)]
        assert "duplicate" in await sentence(soon(link.call(insert)), LostError)
        assert await soon(link.call("SELECT count(*) FROM once")) == [("1",)]


@live
async def test_ended_while_a_call_is_under_way(url: str) -> None:
    """A call whose connection is ended is lost; the next one has a new connection."""
    async with link_to(url) as link, link_to(url) as other:
        await soon(link.call("SELECT"))
        lost = soon(link.call("SELECT pg_sleep(60)"))
        await soon(other.call(OTHERS))
        assert "terminating connection" in await sentence(lost, LostError)
        assert await soon(link.call("SELECT 1")) == [("1",)]


@live
async def test_ended_while_idle(url: str) -> None:
    """A connection that was ended meanwhile costs no call."""
    async with proxied() as proxy, link_to(proxy.url(url)) as link:
        await soon(link.call("SELECT"))
        end = proxy.ends[0]
        proxy.cut()
        await until(lambda: not end.transport.connected, "the cut")
        assert await soon(link.call("SELECT 1")) == [("1",)]


@live
async def test_a_silent_database(url: str) -> None:
    """A call that is not answered is lost, and so is the connection; those behind it go over another one."""
    async with proxied() as proxy, link_to(proxy.url(url)) as link:
        await soon(link.call("SELECT"))
        proxy.swallows_answers = True
        first, second = soon(link.call("SELECT 1")), soon(link.call("SELECT 2"))
        assert "has not answered for 3 s" in await sentence(first, LostError)
        assert "can't be reached" in await sentence(second, LostError)
        proxy.swallows_answers = False
        assert await soon(link.call("SELECT 3")) == [("3",)]


@live
async def test_nobody_there(url: str) -> None:
    """Without a server a call is lost, and the sentence names the host, the database and the reason."""
    async with link_to(f"postgresql://chat:secret@127.0.0.1:{dead_port()}/chat") as link:
        told = await sentence(soon(link.call("SELECT")), LostError)
        assert "database chat at 127.0.0.1:" in told
        assert "Connection refused" in told
        assert "secret" not in told


@live
async def test_wrong_database(url: str) -> None:
    """What the server says against a connection is told."""
    async with link_to(engine().url("nowhere")) as link:
        assert 'database "nowhere" does not exist' in await sentence(soon(link.call("SELECT")), LostError)


@live
async def test_tried_before_it_is_needed(url: str) -> None:
    """A connection that fell silent is found by trying it, and nobody has to wait for it; a busy one is not tried."""
    ups: list[Connection] = []

    async def keep(connection: Connection) -> None:
        ups.append(connection)
        await connection.call("SELECT")

    async with proxied() as proxy, link_to(proxy.url(url), on_up=keep) as link:
        link.probe()
        await until(lambda: len(ups) == 1, "a connection, though nothing was asked")
        await soon(link.call("SELECT 1"))
        await soon(link.call("SELECT 1"))
        answers = proxy.answers
        asked = soon(link.call("SELECT pg_sleep(0.1)"))
        link.probe()
        await asked
        assert proxy.answers == answers + 1
        proxy.swallows_calls = True
        link.probe()
        await until(lambda: not ups[0].stands(), "the end of the silent connection")
        proxy.swallows_calls = False
        link.probe()
        await until(lambda: len(ups) == 2, "a new one")
    link.probe()


@live
async def test_a_silent_host_hides_no_other(url: str, silent_port: int) -> None:
    """Hosts that refuse, and hosts that say nothing, are passed over within one call."""
    hosts = f"127.0.0.1:{dead_port()},127.0.0.1:{silent_port},127.0.0.1:{engine().port}"
    async with link_to(url.replace(f"127.0.0.1:{engine().port}", hosts)) as link:
        assert await soon(link.call("SELECT 1")) == [("1",)]


@live
async def test_names_are_looked_up(url: str) -> None:
    """A host's name is resolved by the reactor, and all its addresses are tried."""
    async with link_to(url.replace("127.0.0.1", "localhost")) as link:
        assert await soon(link.call("SELECT 1")) == [("1",)]
    async with link_to(url.replace("127.0.0.1", "nowhere.invalid")) as link:
        assert "nowhere.invalid" in await sentence(soon(link.call("SELECT")), LostError)


@live
async def test_a_standby_is_passed_over(url: str) -> None:
    """Who wants to write finds the primary behind a standby, and the new primary when the old one is gone."""
    with new_engine() as primary:
        standby = new_engine().follow(primary)
        try:
            hosts = f"127.0.0.1:{standby.port},127.0.0.1:{primary.port}"
            wanted = f"postgresql://chat@{hosts}/postgres?target_session_attrs=read-write"
            ups: list[Connection] = []

            async def keep(connection: Connection) -> None:
                ups.append(connection)
                await connection.call("SELECT")

            async with link_to(wanted, on_up=keep) as link:
                port = "SELECT current_setting('port')"
                assert await soon(link.call(port)) == [(str(primary.port),)]
                primary.stop()
                assert not ups[0].stands()
                standby.promote()
                assert await soon(link.call(port)) == [(str(standby.port),)]
        finally:
            standby.remove()


@live
async def test_a_server_that_takes_no_changes_any_more(url: str) -> None:
    """After a refusal because the server is read-only the hosts are asked anew."""
    async with link_to(url) as link:
        ((before,),) = await soon(link.call("SELECT pg_backend_pid()"))
        await soon(link.call("SELECT set_config('default_transaction_read_only', 'on', false)"))
        assert "read-only" in await sentence(soon(link.call("CREATE TABLE t ()")), AnswerError)
        ((after,),) = await soon(link.call("SELECT pg_backend_pid()"))
        assert before != after


@live
async def test_done_with_each_connection(url: str) -> None:
    """What is to be done with a connection is done with each, before any call; one that fails is none."""
    ups: list[Connection] = []

    async def set_up(connection: Connection) -> None:
        ups.append(connection)
        await connection.call("SELECT set_config('chat.test', 'set', false)")
        if len(ups) == 2:
            await connection.call("no SQL")

    async with link_to(url, on_up=set_up) as link, link_to(url) as other:
        for _ in range(2):
            assert await soon(link.call("SELECT current_setting('chat.test')")) == [("set",)]
            await soon(other.call(OTHERS))
            await until(lambda: not ups[-1].stands(), "the end of the connection")
        assert len(ups) == 3


@live
async def test_notifications(url: str) -> None:
    """What is told is heard in order, also over a connection that was made again by itself."""
    heard: list[tuple[str, str]] = []

    async def listen(connection: Connection) -> None:
        await connection.call("LISTEN news")

    ear = {"on_up": listen, "heard": lambda *told: heard.append(told)}
    async with link_to(url, **ear) as link, link_to(url) as other:
        await soon(link.call("SELECT"))
        for number in range(3):
            await soon(other.call("SELECT pg_notify('news', $1)", str(number)))
        await until(lambda: len(heard) == 3, "three notifications")
        assert heard == [("news", "0"), ("news", "1"), ("news", "2")]
        await soon(other.call(OTHERS))
        listeners = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        while await soon(other.call(listeners)) == [("0",)]:
            pass
        await soon(other.call("SELECT pg_notify('news', 'again')"))
        await until(lambda: heard[3:] == [("news", "again")], "a notification after the connection was ended")


@live
async def test_closed(url: str) -> None:
    """Whoever waits when a link is closed, and whoever comes later, is told so."""
    link = Link(LOOP, url)
    waiting = [soon(link.call("SELECT pg_sleep(60)")), soon(link.call("SELECT"))]
    await soon(_used(url))
    connecting = Link(LOOP, url)
    waiting.append(soon(connecting.call("SELECT")))
    link.close()
    connecting.close()
    for one in [*waiting, soon(link.call("SELECT"))]:
        assert await sentence(one, LostError)


async def _used(url: str) -> None:
    async with link_to(url) as link:
        await link.call("SELECT")


@live
async def test_cancelled(url: str) -> None:
    """A call that nobody waits for any longer is done all the same, and harms no other."""
    async with link_to(url) as link:
        await soon(link.call("CREATE TABLE t (n int)"))
        unwanted: Deferred[Any] = Deferred.fromCoroutine(link.call("INSERT INTO t VALUES (1)"))
        unwanted.cancel()
        with pytest.raises(CancelledError):
            await unwanted
        assert await soon(link.call("SELECT count(*) FROM t")) == [("1",)]


@live
async def test_an_abandoned_call_ends_at_the_server(url: str) -> None:
    """The server ends by itself what nobody waits for any longer."""
    async with connected(url) as connection:
        with pytest.raises(StoreError, match="statement timeout"):
            await soon(connection.call("SELECT pg_sleep(60)"))
