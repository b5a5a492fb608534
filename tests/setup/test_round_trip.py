"""Whatever a file says of queues, agents and defaults: once it is applied there is nothing left to do, and the server
can read what stands."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsdesk.domain.hours import WEEKDAYS, is_open
from smsdesk.domain.queue_settings import TEXTS
from smsdesk.domain.setup import State
from smsdesk.setup.references import final
from smsdesk.store.db import Database
from smsdesk.store.queues import find_queue
from smsdesk.store.setup import queue_paths, read_state
from tests.setup.kit import NOW, applied, judged, planned
from tests.setup.test_queue_settings import settings_of

WORDS = st.text(alphabet="abcdeé✓ \"'{}:-#", min_size=1, max_size=8).filter(str.strip)
TIMES = st.tuples(st.integers(0, 23), st.sampled_from((0, 30))).map(lambda time: f"{time[0]:02}:{time[1]:02}")
SPANS = st.lists(st.tuples(TIMES, TIMES).map("-".join), min_size=1, max_size=2) | st.just("closed")
HOURS = st.fixed_dictionaries(
    {"week": st.dictionaries(st.sampled_from(WEEKDAYS), SPANS, min_size=1).filter(
        lambda week: any(spans != "closed" for spans in week.values()))},
    optional={
        "time_zone": st.sampled_from(("UTC", "America/New_York", "Asia/Kathmandu")),
        "holidays": st.dictionaries(st.dates().map(str), SPANS, max_size=2),
    },
)  # fmt: skip
GROUPS = st.lists(
    st.fixed_dictionaries({"name": WORDS}, optional={"percent": st.just(50), "seconds": st.just(60)}),
    unique_by=lambda group: group["name"].strip(), max_size=3,
)  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "lang": st.sampled_from(("en", "es")),
    "routing": st.sampled_from(("deltacast", "multicast")),
    "offer_seconds": st.integers(5, 600),
    "groups": GROUPS,
    "skills": st.lists(WORDS, unique_by=str.strip, max_size=2),
    "hours": HOURS | st.just("always"),
    "after_hours": st.sampled_from(("queue", "close")),
    "texts": st.dictionaries(st.sampled_from(TEXTS), WORDS | st.just("") | st.none(), max_size=3),
    "survey": st.booleans(),
    "dispositions": st.lists(WORDS, unique_by=str.strip, max_size=2),
    "wrap_up_seconds": st.integers(0, 3_600),
}
OWN = st.fixed_dictionaries({}, optional={name: value | st.none() for name, value in VALUES.items()})
QUEUES = st.tuples(OWN, OWN, OWN).map(
    lambda own: [{"name": "A", **own[0], "children": [{"name": "B", **own[1]}]}, {"name": "C", **own[2]}]
)
FILES = st.fixed_dictionaries(
    {"tenant": st.just("acme"), "queues": QUEUES},
    optional={"settings": st.fixed_dictionaries({}, optional={"queue_defaults": OWN | st.none(),
                                                              "time_zone": st.just("Europe/Madrid")})},
)  # fmt: skip


def dumped(file: Any) -> str:
    """The file as JSON, which is YAML."""
    return json.dumps(file, ensure_ascii=False)


@given(st.lists(FILES, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_the_last_file_again_changes_nothing_and_can_be_read(files: list[Any]) -> None:
    current = State("acme", 1)
    for file in files:
        wanted = judged(dumped(file), current)
        assert [fault.line("f") for fault in wanted.faults] == []
        current = State("acme", 1, final(current, wanted.items))
        again = judged(dumped(file), current)
        assert State("acme", 1, final(current, again.items)) == current
        for path in ("A", "A/B", "C"):
            is_open(settings_of(current, path).hours, NOW)


@given(st.lists(FILES, min_size=1, max_size=2))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_so_it_is_in_the_database(database: str, files: list[Any]) -> None:
    async def applying() -> None:
        db = Database(database, size=1)
        await db.open()
        try:
            for file in files:
                await applied(db, dumped(file))
                assert (await planned(db, dumped(file)))[0].is_empty
            async with db.connection() as conn:
                current = await read_state(conn, "acme")
                tenant_id = current.tenant_id or 0
                for queue_id, path in (await queue_paths(conn, tenant_id)).items():
                    queue = await find_queue(conn, tenant_id, queue_id)
                    assert queue is not None
                    assert queue.settings == settings_of(current, path)
        finally:
            await db.close()

    asyncio.run(applying())
