"""Is all in order, and what to do where it is not."""

from datetime import timedelta

from litestar import Response, get
from litestar.di import NamedDependency

from smsdesk.desk.health import (
    Finding,
    look_at_database,
    look_at_line,
    look_at_open,
    look_at_versions,
    look_at_workers,
    worst,
)
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.store.desk_health import read_lines, read_machine, read_nodes, read_open
from smsdesk.store.health import read_server
from smsdesk.store.migrate import pending

ADMINISTER = {"right": "administer"}
MEDIA_LATE = timedelta(minutes=10)


@get("/desk/admin/health", opt=ADMINISTER)
async def show(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[str]:
    """The page: what is wrong first."""
    now, words, tenant_id = desk.clock(), visitor.words, visitor.tenant_id
    setups = desk.directory.carriers.get(visitor.tenant.subdomain, {})
    async with desk.db.connection() as conn:
        server = await read_server(conn)
        found: list[Finding] = [*look_at_workers(await read_nodes(conn), now, words)]
        for line in await read_lines(conn, tenant_id, now):
            found += look_at_line(line, setups.get(line.name), desk.environ, now, words)
        found += look_at_open(await read_open(conn, tenant_id, now - MEDIA_LATE), words)
        missing = len(await pending(conn))
        found += look_at_database(server, await read_machine(conn), missing, desk.clock(), words)
    found += look_at_versions(words)
    grades = ("bad", "warn", "info", "good")
    found.sort(key=lambda one: grades.index(one.grade))
    return page(visitor, "health.html", here="/desk/admin", findings=found, worst=worst(found), now=now)


PAGES = [show]
