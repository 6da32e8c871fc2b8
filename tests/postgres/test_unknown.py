"""What becomes of a batch whose answer did not come: it stands once, or never, and that is known in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engines import live, new_database, soon, until
from tests.postgres.cases import connected, link_to, proxied, say, store_at
from twistedchat.postgres.batch import Batch
from twistedchat.postgres.errors import AnswerError, LapsedError
from twistedchat.stores.base import UNKNOWN, Refused, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.postgres.proxy import Proxy
    from twistedchat.events import Draft
    from twistedchat.stores.base import Outcome
    from twistedchat.stores.postgres import PostgresStore

APPEND = f"SELECT chat.append({', '.join(f'${number}' for number in range(1, 15))})"


@pytest.fixture
def url() -> str:
    return new_database()


async def appended_without_answer(store: PostgresStore, proxy: Proxy, batch: Sequence[Draft]) -> None:
    """The database has the batch, and its answer is lost."""
    proxy.swallows_answers = True
    answers = proxy.answers
    append = soon(store.append(batch))
    await until(lambda: proxy.answers > answers, "the answer")
    proxy.cut()
    assert await append == [UNKNOWN] * len(batch)
    proxy.swallows_answers = False


async def not_even_sent(store: PostgresStore, proxy: Proxy, batch: Sequence[Draft]) -> None:
    """The batch is lost on its way."""
    proxy.swallows_calls = True
    append = soon(store.append(batch))
    proxy.cut()
    assert await append == [UNKNOWN] * len(batch)
    proxy.swallows_calls = False


async def texts(store: PostgresStore) -> list[str]:
    return [event.text for event in await soon(store.read("lobby", after=0, limit=99))]


def is_fresh(outcomes: Sequence[Outcome]) -> list[bool]:
    return [isinstance(outcome, Stored) and outcome.fresh for outcome in outcomes]


@live
async def test_it_stood(url: str) -> None:
    """What was stored before the answer was lost is told as new, and is not stored again, with a key or without."""
    async with proxied() as proxy, store_at(proxy.url(url)) as store:
        await soon(store.append([say("before", key="b")]))
        batch = [say("a"), say("b", key="k"), say("before", key="b"), say("\ud800")]
        await appended_without_answer(store, proxy, batch)
        outcomes = await soon(store.outcomes(batch))
        assert is_fresh(outcomes) == [True, True, False, False]
        assert isinstance(outcomes[2], Stored)
        assert isinstance(outcomes[3], Refused)
        assert await texts(store) == ["before", "a", "b"]
        assert is_fresh(await soon(store.append([say("c")]))) == [True]


@live
async def test_it_did_not(url: str) -> None:
    """What was lost on its way is stored when it is asked for again, and once however often that is."""
    async with proxied() as proxy, store_at(proxy.url(url)) as store:
        await soon(store.append([say("before")]))
        batch = [say("a"), say("b")]
        await not_even_sent(store, proxy, batch)
        assert is_fresh(await soon(store.outcomes(batch[1:]))) == [True]
        assert await texts(store) == ["before", "a", "b"]


@live
async def test_the_database_stays_away(url: str) -> None:
    """While nothing can be known, that is the answer."""
    async with proxied() as proxy, store_at(proxy.url(url)) as store:
        batch = [say("a")]
        await not_even_sent(store, proxy, batch)
        proxy.swallows_calls = True
        assert await soon(store.outcomes(batch)) == [UNKNOWN]
        proxy.swallows_calls = False
        assert is_fresh(await soon(store.outcomes(batch))) == [True]


@live
async def test_an_answer_from_before_the_lease_ended(url: str) -> None:
    """What stood before the lease ended stands; what is asked for after it never will, not even with a new lease."""
    async with proxied() as proxy, store_at(proxy.url(url)) as store, connected(url) as other:
        batch = [say("a")]
        await soon(store.open_room("lobby"))
        await appended_without_answer(store, proxy, batch)
        await soon(other.call("UPDATE chat.nodes SET until = 0"))
        assert is_fresh(await soon(store.outcomes(batch))) == [True]
        batch = [say("b")]
        await not_even_sent(store, proxy, batch)
        (outcome,) = await soon(store.outcomes(batch))
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.error, LapsedError)
        await soon(store.database.renew())
        late = Batch(2, batch).parameters()
        assert await soon(other.call(APPEND, store.database.node, *late)) == [("lapsed",)]
        assert await texts(store) == ["a"]


@live
async def test_a_try_that_comes_late(url: str) -> None:
    """The first try of a batch that arrives after the next batch is refused."""
    async with store_at(url) as store, connected(url) as other:
        late = Batch(1, [say("late")]).parameters()
        for text in ("a", "b"):
            await soon(store.append([say(text)]))
        with pytest.raises(AnswerError) as raised:
            await soon(other.call(APPEND, store.database.node, *late))
        assert raised.value.sqlstate == "CH002"
        assert await texts(store) == ["a", "b"]


@live
async def test_refused_when_asked_again(url: str) -> None:
    """A batch that the database refuses, and that may be on its way still, is burned: it will never be stored."""
    async with proxied() as proxy, store_at(proxy.url(url)) as store, connected(url) as other:
        batch = [say("no", key="k")]
        await not_even_sent(store, proxy, batch)
        await soon(other.script("ALTER TABLE chat.events ADD CONSTRAINT c CHECK (text <> 'no')"))
        assert isinstance((await soon(store.outcomes(batch)))[0], Refused)
        await soon(other.script("ALTER TABLE chat.events DROP CONSTRAINT c"))
        assert await soon(other.call(APPEND, store.database.node, *Batch(1, batch).parameters())) == [("burned",)]
        assert await texts(store) == []
        assert is_fresh(await soon(store.append(batch))) == [True]


@live
async def test_somebody_in_the_way(url: str) -> None:
    """A room that somebody holds for too long refuses nobody: the batch waits, and is stored once."""
    async with store_at(url) as store, connected(url) as other:
        await soon(store.append([say("a")]))
        await soon(
            other.script("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; UPDATE chat.rooms SET at = at")
        )
        batch = [say("b")]
        assert await soon(store.append(batch)) == [UNKNOWN]
        await soon(other.script("COMMIT"))
        assert is_fresh(await soon(store.outcomes(batch))) == [True]
        assert await texts(store) == ["a", "b"]


@live
async def test_its_connection_is_ended_by_the_operator(url: str) -> None:
    """A batch whose connection the database ends is asked for again, whatever the database says to that."""
    async with store_at(url) as store, connected(url) as other:
        await soon(store.append([say("a")]))
        await soon(other.script("BEGIN; UPDATE chat.rooms SET at = at"))
        append = soon(store.append([say("b")]))
        blocked = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not (rows := await soon(other.call(blocked))):
            pass
        await soon(other.call("SELECT pg_terminate_backend($1)", rows[0][0]))
        assert await append == [UNKNOWN]
        await soon(other.script("COMMIT"))


@live
async def test_the_line_that_stands_can_not_be_read(url: str) -> None:
    """If another line stands under a key and can't be read just now, the answer waits until it can."""
    async with proxied() as proxy, store_at(url) as store, link_to(proxy.url(url)) as reading:
        ((event, _),) = await soon(store.append([say("first", key="k")]))
        store.database.read.close()
        store.database.read = reading
        proxy.swallows_calls = True
        batch = [say("second", key="k"), say("new")]
        assert await soon(store.append(batch)) == [UNKNOWN] * 2
        proxy.swallows_calls = False
        assert (await soon(store.outcomes(batch[:1]))) == [Stored(event, fresh=False)]
        assert await texts(store) == ["first", "new"]
