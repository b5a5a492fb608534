"""The list of chats on the left of the agent's screen."""

import re
from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.steps.rights import require_right
from smsdesk.store.desk_lists import FIRST, LAST, TABS, Key, Part, Tab, count_lines, list_lines

WORK = {"right": "work"}
Opened = Annotated[int | None, QueryParameter(name="open")]
PAGE = 50
MOST_AGAIN = 200
"""Lines that are read anew when something changes; who has asked for more sees the lines behind them as they were."""

_KEY = re.compile(r"(\d)\.(-?\d{1,17})\.(\d{1,18})")


async def values(
    desk: Desk, visitor: Visitor, chat_id: int | None, tab: str = "mine", until: str = ""
) -> dict[str, Any]:
    """What `parts/chat_list.html` shows: the first stretch of a tab, or all of it as far as `until`."""
    wanted = _tab(tab)
    part = Part(until=_key(until) or LAST, limit=MOST_AGAIN if until else PAGE)
    async with desk.db.one_plan() as conn:
        await require_right(conn, visitor.tenant_id, visitor.agent_id, "work")
        counts = await count_lines(conn, visitor.tenant_id, visitor.agent_id)
        lines = await list_lines(conn, visitor.tenant_id, visitor.agent_id, wanted, part)
        if until and len(lines) < PAGE:
            lines = await list_lines(conn, visitor.tenant_id, visitor.agent_id, wanted, Part(limit=PAGE))
    return {
        "counts": counts,
        "lines": lines,
        "tab": wanted,
        "tabs": _tabs(visitor, counts),
        "open_id": chat_id,
        "more": str(lines[-1].key) if len(lines) >= PAGE else "",
        "now": desk.clock(),
    }


@get("/desk/list", opt=WORK)
async def show(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], opened: Opened = None,
    tab: FromQuery[str] = "mine", until: FromQuery[str] = "",
) -> Response[Any]:  # fmt: skip
    """The list as it is now."""
    return fragment(visitor, "parts/chat_list.html", **await values(desk, visitor, opened, tab, until))


@get("/desk/list/more", opt=WORK)
async def more(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], opened: Opened = None,
    tab: FromQuery[str] = "mine", after: FromQuery[str] = "",
) -> Response[Any]:  # fmt: skip
    """The lines that follow one."""
    wanted, part = _tab(tab), Part(after=_key(after) or FIRST, limit=PAGE)
    async with desk.db.one_plan() as conn:
        await require_right(conn, visitor.tenant_id, visitor.agent_id, "work")
        lines = await list_lines(conn, visitor.tenant_id, visitor.agent_id, wanted, part)
    shown: dict[str, Any] = {"later": True, "lines": lines, "tab": wanted, "open_id": opened, "now": desk.clock(),
             "more": str(lines[-1].key) if len(lines) == PAGE else ""}  # fmt: skip
    return fragment(visitor, "parts/chat_lines.html", **shown)


def _tab(name: str) -> Tab:
    return next((tab for tab in TABS if tab == name), "mine")


def _tabs(visitor: Visitor, counts: Any) -> list[tuple[Tab, str, int]]:
    say = visitor.words.say
    return [
        ("mine", say("Mine"), counts.mine),
        ("sent", say("Sent"), counts.sent),
        ("waiting", say("Waiting"), counts.waiting),
        ("aside", say("Aside"), counts.aside),
    ]


def _key(written: str) -> Key | None:
    found = _KEY.fullmatch(written)
    return Key(*map(int, found.groups())) if found else None


PAGES: list[Any] = [show, more]
