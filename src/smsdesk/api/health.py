"""Is this process of use: for load balancers and people."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from smsdesk.api.services import Services
from smsdesk.store.groups import AWAY


class Health(msgspec.Struct):
    """`ok` when a request could be accepted now."""

    ok: bool
    database: str
    tenants: int


@get("/health", tags=["Operation"], summary="Health", security=[])
async def health(services: NamedDependency[Services]) -> Response[Any]:
    """200 when the database answers, 503 when it does not."""
    database = "ok"
    try:
        async with services.db.connection() as conn:
            await conn.fetchval("select 1")
    except AWAY as error:
        database = f"away: {type(error).__name__}"
    found = Health(database == "ok", database, len(services.directory.tenants))
    return Response(found, status_code=200 if found.ok else 503)
