"""Months come and go by themselves: open before they begin, dropped when nothing of them is wanted any more."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import structlog

from smsdesk.actions.drop_period import drop_period, judge_periods
from smsdesk.domain.media import content_key
from smsdesk.domain.periods import first_id, period_of, period_of_id
from smsdesk.domain.tenant import TenantSettings
from smsdesk.jobs.periods import Periods, remover
from smsdesk.media.stores import Stores
from smsdesk.store import periods
from smsdesk.store.db import Ids
from smsdesk.store.periods import list_periods
from tests.desk.chats import Chats
from tests.kit.desk import DeskKit

DAYS = 30
MARCH = period_of(datetime(2026, 3, 1, tzinfo=UTC))


@dataclass
class History:
    """A tenant with the worker's job, and a folder for files."""

    desk: DeskKit
    chats: Chats
    stores: Stores
    folder: Path

    async def sweep(self, days: int = DAYS) -> None:
        await Periods(self.desk.services.db, self.stores, days, self.desk.clock, structlog.get_logger()).run()

    async def at(self, *day: int) -> None:
        """It becomes this day, on which the job runs twice, a day apart."""
        self.desk.clock.now = datetime(*day, tzinfo=UTC)  # type: ignore[arg-type,misc]
        await self.sweep()
        self.desk.clock.forward(days=1, minutes=1)
        await self.sweep()

    async def begin(self) -> int:
        """A chat that an agent has, with texts of both sides that have ended, and a file."""
        await self.desk.db.execute("delete from sessions")
        chat_id = await self.chats.ongoing("john", "Where is my parcel?")
        await self.chats.say(await self.desk.person("john"), chat_id, "On its way")
        for message_id in await self.desk.db.fetchval("select array(select message_id from texts)"):
            await self.chats.ends(message_id, "delivered")
        await self.keep(chat_id, b"picture of the parcel")
        return chat_id

    async def keep(self, chat_id: int, content: bytes, tenant_id: int = 1) -> str:
        """A file of the chat, put long ago."""
        key = content_key(tenant_id, content)
        await self.stores.of(None).put(key, content)
        os.utime(self.folder / key, (0, 0))
        await self.desk.db.execute("insert into media_keys (tenant_id) values ($1) on conflict do nothing", tenant_id)
        await self.desk.db.execute(
            """insert into media (tenant_id, chat_id, media_id, direction, state, kind, content_type, content_key, size,
                                  created_at, state_at)
            values ($1, $2, (select count(*) from media), 'in', 'kept', 'photo', 'image/jpeg', $3, $4, $5, $5)""",
            tenant_id, chat_id, key, len(content), self.desk.clock(),
        )  # fmt: skip
        return key

    async def end(self, *chat_ids: int) -> None:
        await self.desk.db.execute(
            "update chats set status = 'finished', ends_at = $2, expires_at = null where chat_id = any ($1)",
            chat_ids, self.desk.clock(),
        )  # fmt: skip

    async def there(self) -> set[int]:
        """The periods of which there is anything."""
        rows = await self.desk.db.fetch("select relname from pg_class where relkind = 'r' and relname ~ '_p[0-9]+$'")
        found = {int(row[0].rpartition("_p")[2]) for row in rows}
        rows = await self.desk.db.fetch("select distinct chat_id / $1 from chats", first_id(1))
        return found | {row[0] for row in rows}

    async def kept(self, days: int = DAYS) -> dict[int, str]:
        found = await judge_periods(self.desk.services.db, self.desk.clock(), days)
        return {one.period.period: one.kept for one in found}

    def files(self) -> list[str]:
        return [str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()]

    async def ask(self, path: str) -> int:
        """The status of an answer of the API."""
        auth = aiohttp.encode_basic_auth("acme", "secret")
        async with self.desk.http.get(self.desk.base_url + path, headers={"Authorization": auth}) as answer:
            return answer.status


@pytest.fixture
async def history(desk: DeskKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    monkeypatch.setattr(Ids, "LIFE", 0.0)  # blocks live by the time of the machine, which stands still beside the clock
    folder = tmp_path / "media"
    stores = Stores(folder, {}, desk.clock)
    return History(desk, Chats(desk), stores, folder)


async def test_a_month_is_open_before_it_comes(history: History) -> None:
    await history.sweep()
    assert await history.there() == {0, MARCH, MARCH + 1}
    assert await history.chats.writes() >= first_id(MARCH)
    assert period_of_id(await history.desk.db.fetchval("select last_value from id_blocks")) == MARCH
    await history.at(2026, 4, 1)
    assert await history.there() == {MARCH, MARCH + 1, MARCH + 2}, "and what was before, where nothing is, has gone"


async def test_a_month_goes_with_all_that_was_its_and_nothing_else(history: History) -> None:
    await history.sweep()
    old = await history.begin()
    await history.end(old)
    await history.at(2026, 4, 10)
    young = await history.begin()
    shared, own = history.files(), await history.keep(old, b"another picture")
    await history.desk.db.execute(
        "insert into idempotency_keys values (1, 'old', '', null, $1, now()), (1, 'young', '', null, $2, now())",
        old + 1, young + 1,
    )  # fmt: skip
    await history.at(2026, 4, 29)
    assert await history.there() >= {MARCH}
    assert (await history.kept())[MARCH] == "kept until 2026-05-10"
    await history.at(2026, 5, 11)
    assert await history.there() == {MARCH + 1, MARCH + 2, MARCH + 3}
    assert await history.desk.db.fetchval("select array_agg(chat_id) from chats") == [young]
    assert history.files() == shared, f"the young chat has the same picture; {own} was the old one's alone"
    assert await history.desk.db.fetchval("select array_agg(key) from idempotency_keys") == ["young"]
    gone = [one for one in await _listed(history) if one.gone_at]
    assert [one.period for one in gone] == [0, MARCH]
    assert await history.ask(f"/apps/api/v1/chats/{old}") == 404
    assert await history.ask(f"/apps/api/v1/chats/{young}") == 200


async def _listed(history: History) -> list[periods.Period]:
    async with history.desk.services.db.connection() as conn:
        return await list_periods(conn)


async def test_without_days_all_is_kept(history: History) -> None:
    await history.sweep(0)
    await history.end(await history.begin())
    history.desk.clock.forward(days=4000)
    await history.sweep(0)
    history.desk.clock.forward(days=2)
    await history.sweep(0)
    assert await history.there() >= {0, MARCH}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("update chats set ends_at = null, status = 'ongoing'", "is open"),
        ("update chats set ends_at = '2026-05-20'", "ended on 2026-05-20"),
        ("update chats set ends_at = null, status = 'selecting', expires_at = '2026-07-01'", "is open"),
        ("insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,"
         " valid_until, state_at) select 1, 7, chat_id, 1, 'notice', '1', '2', 'doubtful', now(), now(), now()"
         " from chats", "text 7 is in flight"),
        ("insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,"
         " valid_until, state_at) select 1, chat_id + 1, 7, 1, 'notice', '1', '2', 'queued', now(), now(), now()"
         " from chats", "is in flight"),
        ("insert into consent_holds (tenant_id, hold_id, number, source, at, chat_id, message_id, words, reason)"
         " select 1, 1, '1', '2', now(), chat_id, 1, 'no', 'x' from chats", "may be a revocation"),
    ],
)  # fmt: skip
async def test_what_is_not_over_keeps_its_month_and_those_after_it(history: History, spoil: str, says: str) -> None:
    await history.sweep()
    await history.end(await history.begin())
    await history.at(2026, 4, 2)
    await history.desk.db.execute(spoil)
    await history.at(2026, 6, 10)
    kept = await history.kept()
    assert says in kept[MARCH]
    assert kept[MARCH + 1] == "an older month stays"
    assert await history.there() >= {MARCH, MARCH + 1}


async def test_a_sweep_finishes_what_a_killed_one_began(history: History) -> None:
    await history.sweep()
    await history.end(await history.begin())
    await history.at(2026, 4, 2)

    async def killed(_settings: TenantSettings, _key: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await drop_period(history.desk.services.db, MARCH, killed, history.desk.clock())
    assert history.files()
    await history.sweep(0)
    assert history.files() == []
    assert MARCH not in await history.there()
    assert MARCH in [one.period for one in await _listed(history) if one.gone_at]


async def test_a_file_put_a_moment_ago_waits_for_the_next_sweep(history: History) -> None:
    await history.sweep()
    await history.end(await history.begin())
    await history.at(2026, 4, 2)
    (path,) = history.files()
    os.utime(history.folder / path)
    remove = remover(history.stores, structlog.get_logger())
    assert not await drop_period(history.desk.services.db, MARCH, remove, history.desk.clock())
    assert history.files() == [path]
    os.utime(history.folder / path, (0, 0))
    await history.sweep(0)
    assert history.files() == []


@pytest.mark.parametrize("tables", [("spans",), tuple(periods.TABLES)])
async def test_nobody_meets_an_error_while_a_month_goes(history: History, tables: tuple[str, ...]) -> None:
    """Whatever a process that was killed has left."""
    await history.sweep()
    chat_id = await history.begin()
    message_id = await history.chats.last_text(chat_id)
    await history.end(chat_id)
    async with history.desk.services.db.connection() as conn:
        for table in tables:
            await periods.drop_partition(conn, table, MARCH)
    api = "/apps/api/v1"
    for path in (f"{api}/chats/{chat_id}", f"{api}/chats/{chat_id}/messages", f"{api}/chats", f"{api}/chats?q=parcel",
                 f"{api}/chats/{chat_id}/transcript", f"{api}/texts/{message_id}"):  # fmt: skip
        assert await history.ask(path) in (200, 404), path
    supervisor = await history.desk.person("administrator")
    for path in (f"/desk/chats/{chat_id}", "/desk/search?q=parcel", f"/desk/search?q={chat_id}", "/desk", "/desk/board",
                 "/desk/reports", "/desk/search"):  # fmt: skip
        seen = await supervisor.get(path)
        assert seen.status in (200, 404), (path, seen.text)
    remove = remover(history.stores, structlog.get_logger())
    assert await drop_period(history.desk.services.db, MARCH, remove, history.desk.clock() + timedelta(days=1))
    assert await history.ask(f"{api}/chats/{chat_id}") == 404
    assert await history.ask(f"{api}/texts/{message_id}") == 404
    assert (await supervisor.get(f"/desk/chats/{chat_id}")).status == 404
