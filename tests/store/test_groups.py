"""Groups: shared statements, errors that stay with their owner, and nothing lost while the database is away."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from smsdesk.store.groups import Groups


class Statement:
    """What a group runs: doubles its numbers when told to go on, and raises what the test has planned."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.errors: list[BaseException] = []
        self.bad: set[int] = set()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(items))
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.bad.intersection(items):
            raise asyncpg.CheckViolationError("a bad row")
        return [2 * item for item in items]


async def test_one_alone_runs_at_once() -> None:
    statement = Statement()
    assert await Groups(statement).submit(4) == 8
    assert statement.groups == [[4]]


async def test_what_waits_while_a_statement_runs_shares_the_next() -> None:
    statement = Statement()
    statement.open.clear()
    groups = Groups(statement, max_size=3)
    first = groups.submit(1)
    await asyncio.sleep(0)
    later = [groups.submit(n) for n in range(2, 7)]
    assert len(groups) == 5
    statement.open.set()
    assert await asyncio.gather(first, *later) == [2, 4, 6, 8, 10, 12]
    assert statement.groups == [[1], [2, 3, 4], [5, 6]]


async def test_no_more_groups_at_once_than_allowed() -> None:
    statement = Statement()
    statement.open.clear()
    groups = Groups(statement, max_size=2, parallel=2)
    futures = [groups.submit(n) for n in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert statement.groups == [[0, 1], [2, 3]]
    statement.open.set()
    assert await asyncio.gather(*futures) == [0, 2, 4, 6, 8, 10]


async def test_a_bad_row_fails_alone() -> None:
    statement = Statement()
    statement.bad = {2}
    groups = Groups(statement)
    one, two, three = (groups.submit(n) for n in (1, 2, 3))
    with pytest.raises(asyncpg.CheckViolationError):
        await two
    assert (await one, await three) == (2, 6)
    assert statement.groups == [[1, 2, 3], [1], [2], [3]]


async def test_a_group_that_met_another_crosswise_is_run_again() -> None:
    statement = Statement()
    statement.errors = [asyncpg.DeadlockDetectedError(), asyncpg.SerializationError()]
    assert await Groups(statement).submit(1) == 2
    assert statement.groups == [[1], [1], [1]]


@pytest.mark.parametrize("error", [ConnectionRefusedError(), asyncpg.AdminShutdownError(), asyncpg.DiskFullError()])
async def test_a_kept_group_waits_for_the_database(error: BaseException) -> None:
    statement = Statement()
    statement.errors = [error]
    groups = Groups(statement, keep=True)
    assert await asyncio.gather(groups.submit(1), groups.submit(2)) == [2, 4]
    assert statement.groups == [[1, 2], [1, 2]]


async def test_a_group_that_is_not_kept_fails_as_one_while_the_database_is_away() -> None:
    statement = Statement()
    statement.errors = [ConnectionRefusedError()]
    groups = Groups(statement)
    results = await asyncio.gather(groups.submit(1), groups.submit(2), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionRefusedError] * 2
    assert statement.groups == [[1, 2]]
    assert await groups.submit(3) == 6


async def test_an_error_of_the_code_ends_every_future_and_not_the_groups() -> None:
    statement = Statement()
    statement.errors = [KeyError("a bug")]
    groups = Groups(statement, keep=True)
    results = await asyncio.gather(groups.submit(1), groups.submit(2), return_exceptions=True)
    assert [type(result) for result in results] == [KeyError, KeyError]
    assert await groups.submit(3) == 6


async def test_a_result_for_each_item_or_an_error() -> None:
    async def short(items: Sequence[int]) -> Sequence[int]:
        return items[1:]

    groups = Groups(short)
    results = await asyncio.gather(groups.submit(1), groups.submit(2), return_exceptions=True)
    assert [type(result) for result in results][-1] is ValueError


async def test_drain_returns_after_the_last_one_and_close_counts_what_it_gave_up() -> None:
    statement = Statement()
    groups = Groups(statement, max_size=1)
    futures = [groups.submit(n) for n in range(3)]
    await groups.drain()
    assert [future.result() for future in futures] == [0, 2, 4]
    statement.open.clear()
    futures = [groups.submit(n) for n in range(3)]
    assert await groups.close(0.01) == 3
    assert all(future.cancelled() for future in futures)
    assert await Groups(statement).close(1) == 0


async def test_an_argument_that_the_driver_cannot_encode_is_its_owners_error(database: str) -> None:
    conn = await asyncpg.connect(database)
    try:

        async def run(items: Sequence[str]) -> Sequence[str]:
            rows = await conn.fetch("select upper(u) as u from unnest($1::text[]) u", list(items))
            return [row["u"] for row in rows]

        groups = Groups(run, keep=True)
        good, nul, surrogate = groups.submit("a"), groups.submit("b\0"), groups.submit("\ud800")
        assert await good == "A"
        for future in (nul, surrogate):
            with pytest.raises((asyncpg.PostgresError, ValueError)):
                await future
    finally:
        await conn.close()


async def test_a_second_group_starts_beside_another_only_for_a_crowd() -> None:
    statement = Statement()
    statement.open.clear()
    groups = Groups(statement, parallel=2, crowd=3)
    futures = [groups.submit(1)]
    for n in (2, 3):
        await asyncio.sleep(0)
        futures.append(groups.submit(n))
    await asyncio.sleep(0)
    assert statement.groups == [[1]]
    futures.append(groups.submit(4))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert statement.groups == [[1], [2, 3, 4]]
    statement.open.set()
    assert await asyncio.gather(*futures) == [2, 4, 6, 8]


async def test_the_next_group_starts_before_what_waits_for_the_last_one_goes_on() -> None:
    statement = Statement()
    statement.open.clear()
    groups = Groups(statement)
    seen: list[list[list[int]]] = []
    first = groups.submit(1)
    first.add_done_callback(lambda _: seen.append(list(statement.groups)))
    await asyncio.sleep(0)
    second = groups.submit(2)
    statement.open.set()
    assert await asyncio.gather(first, second) == [2, 4]
    assert seen == [[[1], [2]]]
