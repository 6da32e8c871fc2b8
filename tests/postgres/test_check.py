"""What an operator is told before the daemon starts, and while it opens its store."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from twisted.internet.task import Clock

from tests.engines import LOOP, engine, live, new_database, soon, until
from tests.postgres.cases import store_at
from twistedchat.postgres.database import AGAIN, Database
from twistedchat.stores import check_store, make_store
from twistedchat.stores.base import StoreError
from twistedchat.stores.postgres import PostgresStore

if TYPE_CHECKING:
    from typing import Any

WITHOUT_LIBPQ = """
import sys
sys.modules["psycopg"] = None
from twistedchat.stores import check_store, make_store
for attempt in (check_store, lambda url: make_store(url, reactor=None, clock=None)):
    try:
        attempt("postgresql://chat@localhost/chat")
    except Exception as error:
        print(type(error).__name__, error)
"""


def nobody() -> str:
    """The address of a server that is not there."""
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        return f"postgresql://chat:secret@127.0.0.1:{gone.getsockname()[1]}/chat"


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as raised:
        check_store(url)
    return str(raised.value)


def test_silent_host() -> None:
    """A host that takes the connection and says nothing is not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = refusal(f"postgresql://chat@127.0.0.1:{silent.getsockname()[1]}/chat")
    assert "timeout expired" in told


def test_checked_before_the_start() -> None:
    """A database that takes connections is fine, by any of its hosts; else the host and the reason are told."""
    url = new_database()
    check_store(url)
    check_store(url.replace("postgresql://", "postgres://"))
    check_store(url.replace("127.0.0.1", f"{nobody().partition('@')[2].partition('/')[0]},127.0.0.1"))
    told = refusal(nobody())
    assert "database chat at 127.0.0.1:" in told
    assert "Connection refused" in told
    assert "secret" not in told
    assert 'database "nowhere" does not exist' in refusal(engine().url("nowhere"))
    assert "not understood" in refusal("postgresql://chat@[::1/chat")


def test_made_by_its_address() -> None:
    """An address picks the store, and nothing is connected yet."""
    unused: Any = Clock()
    for scheme in ("postgresql", "postgres"):
        assert isinstance(
            make_store(f"{scheme}://chat@nowhere/chat", reactor=unused, clock=unused.seconds), PostgresStore
        )


def test_without_libpq() -> None:
    """Where the extra is not installed, the sentence says how to."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_LIBPQ], capture_output=True, text=True, check=True)
    sentence = "StoreError A PostgreSQL database needs the extra [nodes]: pip install 'twistedchat[nodes]'."
    assert done.stdout.splitlines() == [sentence] * 2


@live
async def test_open_and_nobody_there() -> None:
    """A store that can't be opened says why, and can be closed."""
    with pytest.raises(StoreError, match="Connection refused"):
        async with store_at(nobody()):
            pass


@live
async def test_listeners() -> None:
    """What other nodes tell goes to whoever listens for its kind, after one that fails, too; then that all is new."""
    url = new_database()
    heard: list[str] = []
    database = Database(LOOP, url)

    def fail(rest: str) -> None:
        raise ValueError(rest)

    database.listen("news", fail)
    database.listen("news", heard.append)
    database.listen(AGAIN, lambda rest: heard.append(f"again{rest}"))
    await soon(database.open())
    try:
        for payload in (f"{database.node} news own", "other gossip x", "other news a\nb c", "other news", "other"):
            await soon(database.read.call("SELECT pg_notify('chat', $1)", payload))
        await until(lambda: len(heard) == 2, "what the other node has told")
        assert heard == ["a\nb c", ""]
        ((pid,),) = await soon(database.ear.call("SELECT pg_backend_pid()"))
        await soon(database.read.call("SELECT pg_terminate_backend($1)", pid))
        await until(lambda: heard[2:] == ["again"], "the listening connection again")
    finally:
        await database.close()
