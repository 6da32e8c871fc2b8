"""Calls of the functions in `postgres/people.sql`: values in, values out.

Knows a node's connections. Must not know what is done with the answers.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from twistedchat.errors import ChatError
from twistedchat.people.base import LINGER_SECONDS
from twistedchat.people.faces import Roll
from twistedchat.postgres.database import LEASE_SECONDS
from twistedchat.profiles import Profile
from twistedchat.records import Rule, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.postgres.database import Database
    from twistedchat.postgres.link import Link
    from twistedchat.stores.base import StoreError

__all__ = ["LAPSED", "UNKNOWN", "Asking", "hashed", "not_ready", "read_profile", "written_profile"]

LAPSED = "lapsed"
"""Answer of a function that needs a lease, when there is none. Source: postgres/people.sql."""

UNKNOWN = Profile("past", "log")
"""Of somebody of whom nothing but the name is known."""

_LEASE_MS = str(int(LEASE_SECONDS * 1000))
_LINGER_MS = str(int(LINGER_SECONDS * 1000))


def hashed(token: str) -> str | None:
    """What the database keeps of a token, so that whoever reads it can't take up sessions; None for no token."""
    return hashlib.sha256(token.encode()).hexdigest() if token else None


def not_ready(error: StoreError) -> ChatError:
    """The error for somebody who asks for what only the database knows."""
    del error  # what it names is for the operator
    return ChatError("not-ready", "The server can't reach its database now. Try again in a moment.")


def written_profile(profile: Profile) -> Sequence[object]:
    """How somebody is seen, as the database keeps it; PostgreSQL's JSON holds no NUL."""
    return [one.replace("\0", "\N{SYMBOL FOR NULL}") if isinstance(one, str) else one for one in profile]


def read_profile(written: Sequence[Any] | None) -> Profile:
    """The same, read again; a node of an older version has written none."""
    return Profile(*written) if written else UNKNOWN


class Asking:
    """The functions.

    Args:
        database: The node's place in the database.

    Every method raises `StoreError`: it was not done, or that is not known.
    """

    __slots__ = ("_database", "_number", "node")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._number = 0
        self.node = database.node

    async def people(self, ops: Sequence[Sequence[object]]) -> Sequence[object] | str:
        """Do changes in order; an answer for each, or `LAPSED`."""
        answer: Sequence[object] | str = await self._json(
            self._database.people, "people", self.node, self._next_number(), json.dumps(ops)
        )
        return answer

    async def mine(self, names: Sequence[str]) -> Sequence[str]:
        """Those of the names that are of people of this node."""
        answer: Sequence[str] = await self._json(self._database.people, "mine", self.node, json.dumps(names))
        return answer

    async def roster(self, rooms: Sequence[str]) -> Sequence[Roll]:
        """Who is in rooms on other nodes, and their ranks and rules."""
        answer = await self._json(self._database.read, "seen_in", self.node, json.dumps(rooms))
        return [
            Roll(
                room,
                version,
                {name: read_profile(profile) for name, profile in people},
                Standing(dict(ranks), [Rule(*rule) for rule in rules]),
            )
            for room, version, people, ranks, rules in answer
        ]

    async def beat(
        self, heads: Sequence[Sequence[object]], versions: Sequence[Sequence[object]]
    ) -> dict[str, Any] | str:
        """Renew the lease, and hear what has happened elsewhere; or `LAPSED`. The other connections are tried, too."""
        self._database.probe()
        answer: dict[str, Any] | str = await self._json(
            self._database.people, "beat", self.node, json.dumps(heads), json.dumps(versions), _LEASE_MS, _LINGER_MS
        )
        return answer

    async def come_back(self, people: Sequence[Sequence[object]]) -> Sequence[tuple[str, bool]]:
        """Begin a lease with these people; who has lost the name, and whether the session goes on elsewhere."""
        answer: Sequence[tuple[str, bool]] = await self._json(
            self._database.people,
            "come_back",
            self.node,
            self._next_number(),
            self._database.name,
            json.dumps(people),
            _LEASE_MS,
            _LINGER_MS,
        )
        return answer

    def _next_number(self) -> str:
        """The number of a change: one that arrives behind a later one is not made (`chat.in_turn`)."""
        self._number += 1
        return str(self._number)

    async def leave(self) -> None:
        """The lease ends now."""
        await self._database.people.call("SELECT chat.leave($1, $2)", self.node, _LINGER_MS)

    async def tidy(self) -> None:
        """Delete what nobody asks for any more."""
        await self._database.people.call("SELECT chat.tidy()")

    async def find(self, likenesses: Sequence[str]) -> tuple[str, str, bool, Profile] | None:
        """Who has one of these: name, node, whether the connection is there, and how the person is seen."""
        found = await self._json(self._database.read, "find", json.dumps(likenesses))
        if found is None:
            return None
        name, node, is_here, profile = found
        return name, node, is_here, read_profile(profile)

    async def tell(self, to: str, who: str, said: object, at: int) -> int | None:
        """Leave something for somebody on another node; its number, or None if nobody would take it.

        Args:
            to: For whom.
            who: Of whom.
            said: As `tells` writes it.
            at: When, in milliseconds since 1970.
        """
        # As JSON, because PostgreSQL's text holds no NUL.
        answer: int | None = await self._json(
            self._database.people, "tell", self.node, to, who, json.dumps(said), str(at)
        )
        return answer

    async def take(self) -> Sequence[tuple[int, str, str, str, object, int]]:
        """What was left for this node: number, sender's node, receiver, sender, what, at."""
        taken = await self._json(self._database.people, "take", self.node)
        return [(number, node, to, who, json.loads(text), at) for number, node, to, who, text, at in taken]

    async def told(self, node: str, number: int, code: str, text: str) -> None:
        """Tell another node what became of its private line."""
        rest = json.dumps([number, code, text])
        await self._database.people.call("SELECT pg_notify('chat', $1)", f"{self.node} told {node} {rest}")

    async def tell_nodes(self, kind: str, what: object) -> None:
        """Tell all other nodes something that is nothing if they miss it; it must be short."""
        await self._database.people.call("SELECT pg_notify('chat', $1)", f"{self.node} {kind} {json.dumps(what)}")

    async def withdraw(self, number: int) -> bool:
        """Take a private line back that nobody has taken; whether that was so."""
        ((answer,),) = await self._database.people.call("SELECT chat.withdraw($1)", str(number))
        return answer == "t"

    @staticmethod
    async def _json(link: Link, function: str, *params: str | None) -> Any:
        places = ", ".join(f"${place}" for place in range(1, len(params) + 1))
        ((answer,),) = await link.call(f"SELECT chat.{function}({places})", *params)
        return None if answer is None else json.loads(answer)
