"""The tables, and who may make or change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.internet.defer import gatherResults

from tests.engines import engine, live, new_database, new_engine, soon
from tests.postgres.cases import connected, sentence
from twistedchat.postgres.schema import FUNCTIONS, STEPS, prepare, source

if TYPE_CHECKING:
    from twistedchat.postgres.connection import Connection

FILES = {
    "1.sql": "CREATE TABLE chat.things (n int); INSERT INTO chat.things VALUES (7)",
    "2.sql": "ALTER TABLE chat.things ADD COLUMN mood text; UPDATE chat.things SET n = n + 1",
    "broken.sql": "CREATE TABLE chat.more (n int); no SQL",
    "functions.sql": "CREATE OR REPLACE FUNCTION chat.mood() RETURNS text LANGUAGE sql AS $$ SELECT 'fine' $$",
    "others.sql": "CREATE OR REPLACE FUNCTION chat.mood() RETURNS text LANGUAGE sql AS $$ SELECT 'better' $$",
}


@pytest.fixture
def url() -> str:
    return new_database()


async def bring(connection: Connection, *steps: str, functions: str = "functions.sql") -> str:
    return await prepare(connection, steps=steps, functions=[functions], read=FILES.__getitem__)


@live
async def test_made_once(url: str) -> None:
    """Whoever comes first makes the tables; others, also at the same time, find the same log."""
    async with connected(url) as one, connected(url) as two:
        first, second = await gatherResults([soon(prepare(one)), soon(prepare(two))])
        assert first == second == await soon(prepare(one))
        assert len(first) == 8
        assert await soon(two.call("SELECT version FROM chat.version")) == [(str(len(STEPS)),)]


@live
async def test_every_file_is_there() -> None:
    """The SQL of all steps and functions is part of the package."""
    for name in (*STEPS, *FUNCTIONS):
        assert "chat." in source(name)


@live
async def test_brought_to_the_newest_version(url: str) -> None:
    """Only the steps that are new are done, and the log stays the same."""
    async with connected(url) as connection:
        identity = await soon(bring(connection, "1.sql"))
        assert await soon(bring(connection, "1.sql", "2.sql")) == identity
        assert await soon(connection.call("SELECT n, mood FROM chat.things")) == [("8", None)]
        assert await soon(bring(connection, "1.sql", "2.sql")) == identity
        assert await soon(connection.call("SELECT n, mood FROM chat.things")) == [("8", None)]


@live
async def test_a_newer_one(url: str) -> None:
    """An older program refuses the tables of a newer one, and leaves them as they are."""
    async with connected(url) as connection, connected(url) as again:
        await soon(bring(connection, "1.sql", "2.sql"))
        told = await sentence(soon(bring(connection, "1.sql", functions="others.sql")))
        assert "version 2, and this program knows 1" in told
        assert await soon(again.call("SELECT version, chat.mood() FROM chat.version")) == [("2", "fine")]


@live
async def test_all_or_nothing(url: str) -> None:
    """A step that fails leaves nothing of it behind, nor of those before it."""
    async with connected(url) as connection, connected(url) as again:
        await soon(bring(connection, "1.sql"))
        assert "syntax error" in await sentence(soon(bring(connection, "1.sql", "2.sql", "broken.sql")))
        assert await soon(again.call("SELECT version FROM chat.version")) == [("1",)]
        assert await soon(again.call("SELECT * FROM chat.things")) == [("7",)]


@live
async def test_functions(url: str) -> None:
    """Functions are replaced if the program has others, and else left alone."""
    async with connected(url) as connection:
        await soon(bring(connection, "1.sql"))
        await soon(connection.script(FILES["others.sql"]))
        await soon(bring(connection, "1.sql"))
        assert await soon(connection.call("SELECT chat.mood()")) == [("better",)]
        await soon(bring(connection, "1.sql", functions="others.sql"))
        await soon(bring(connection, "1.sql"))
        assert await soon(connection.call("SELECT chat.mood()")) == [("fine",)]


@live
async def test_without_rights(url: str) -> None:
    """A role that may not make the tables is told what it needs."""
    async with connected(url) as connection:
        await soon(connection.script("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN"))
        async with connected(url.replace("chat@", "guest@")) as guest:
            assert "GRANT CREATE ON DATABASE" in await sentence(soon(prepare(guest)))
        await soon(prepare(connection))
        async with connected(url.replace("chat@", "guest@")) as guest:
            assert "own the schema chat" in await sentence(soon(prepare(guest)))


@live
async def test_an_encoding_that_loses_letters() -> None:
    """A database that can't hold every letter is refused."""
    engine().sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    async with connected(engine().url("latin")) as connection:
        assert "ENCODING 'UTF8'" in await sentence(soon(prepare(connection)))


@live
async def test_a_standby() -> None:
    """A standby is refused with what to write in the address."""
    with new_engine() as primary:
        standby = new_engine().follow(primary)
        try:
            async with connected(standby.url()) as connection:
                assert "target_session_attrs=read-write" in await sentence(soon(prepare(connection)))
        finally:
            standby.remove()
