"""The tables and functions in the database: made, brought to the newest version, or refused.

Knows SQL files and versions. Must not know what the tables are for.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from twistedchat.postgres.errors import AnswerError
from twistedchat.stores.base import StoreError
from twistedchat.stores.sqlite_schema import new_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.postgres.connection import Connection

__all__ = ["FUNCTIONS", "STEPS", "prepare"]

STEPS = ("tables.sql", "closed.sql", "irc.sql")
"""Steps by which a schema of version 0 (none), 1, 2 … becomes one of the next version. Only ever added to."""

FUNCTIONS = ("log.sql", "people.sql")
"""Files of functions; a database has those of the daemon that found others there last."""

_LOCK = "6622840"
"""Key of the advisory lock under which daemons prepare the database one after the other. Source: chosen."""

_VERSION_TABLE = """
CREATE SCHEMA IF NOT EXISTS chat;
CREATE TABLE chat.version (
    version integer NOT NULL,
    functions text NOT NULL, -- a hash of their source
    identity text NOT NULL   -- of this log
);
"""

_SENTENCES = {
    "42501": "The role has no right to do this: GRANT CREATE ON DATABASE to it and let it own the schema chat.",
    "25006": "It is a standby, or read-only: give the primary's address, or target_session_attrs=read-write.",
    "3F000": "Its schema chat is gone: make another database.",
}
"""Ways out of errors, by their sqlstate."""


def source(name: str) -> str:
    """One of the SQL files."""
    return files("twistedchat.postgres").joinpath(name).read_text("utf-8")


async def prepare(
    connection: Connection,
    *,
    steps: Sequence[str] = STEPS,
    functions: Sequence[str] = FUNCTIONS,
    read: Callable[[str], str] = source,
) -> str:
    """Make the schema, or bring it to the newest version, in one transaction.

    Args:
        connection: To the primary; nobody else uses it meanwhile.
        steps: Names of the files that lead from version to version.
        functions: Names of the files of functions.
        read: Gives the text of a file.

    Returns:
        The log's identity.

    Raises:
        StoreError: It can't be used; the sentence says why and what to do, and nothing was changed.
    """
    try:
        await _check_encoding(connection)
        await connection.script(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
            "SET LOCAL client_min_messages = warning;"
        )
        await connection.call("SELECT pg_advisory_xact_lock($1)", _LOCK)
        identity = await _bring(connection, steps, [read(name) for name in functions], read)
        await connection.call("COMMIT")
    except AnswerError as error:
        raise StoreError(f"{error} {_SENTENCES.get(error.sqlstate, '')}".rstrip()) from error
    return identity


async def _check_encoding(connection: Connection) -> None:
    ((encoding,),) = await connection.call("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise StoreError(f"The database's encoding is {encoding}: make one with ENCODING 'UTF8'.")


async def _bring(
    connection: Connection, steps: Sequence[str], functions: Sequence[str], read: Callable[[str], str]
) -> str:
    version, found, identity = await _version(connection)
    if version > len(steps):
        raise StoreError(
            f"The database's schema is of version {version}, and this program knows {len(steps)} at most: "
            "install the version of twistedchat that made it, or name another database."
        )
    if not version:
        await connection.script(_VERSION_TABLE)
        await connection.call("INSERT INTO chat.version VALUES (0, '', $1)", identity)
    for step in steps[version:]:
        await connection.script(read(step))
    wanted = hashlib.sha256("\0".join(functions).encode()).hexdigest()
    if wanted != found:
        for text in functions:
            await connection.script(text)
    if (version, found) != (len(steps), wanted):
        await connection.call("UPDATE chat.version SET version = $1, functions = $2", str(len(steps)), wanted)
    return identity


async def _version(connection: Connection) -> tuple[int, str, str]:
    """Version, hash of the functions, and identity of the schema that is there; of a new one if there is none."""
    ((table,),) = await connection.call("SELECT to_regclass('chat.version')")
    if table is None:
        return 0, "", new_identity()
    ((version, functions, identity),) = await connection.call("SELECT version, functions, identity FROM chat.version")
    return int(version or 0), functions or "", identity or ""
