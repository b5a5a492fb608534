"""/apps/api/v1/costs: what left, and what it cost. An addition of ours to the imitated API."""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chats import REFUSALS, PageNumber, PerPage
from smsdesk.domain.price import written
from smsdesk.store.costs import DEFAULT_DAYS, Cost, Days, Grouping, count_costs, list_costs

_First = Annotated[
    date | None, QueryParameter(name="from", description=f"The first day (UTC); {DEFAULT_DAYS} before `to` if missing.")
]
_Last = Annotated[date | None, QueryParameter(name="to", description="The last day (UTC); today if missing.")]


class CostObject(msgspec.Struct):
    """What left under one day, carrier or outbound number, in one currency. Currency and price are null where the
    carrier has no rate for it."""

    group: str
    currency: str | None
    texts: int
    segments: int
    price: str | None
    """A decimal number; text, so that no reader rounds it."""


@get("/", summary="Sum costs", responses=REFUSALS)
async def sum_costs(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    first_day: _First = None,
    last_day: _Last = None,
    by: Annotated[Grouping, QueryParameter(description="What each sum is of.")] = "day",
) -> Response[list[CostObject]]:
    """Texts that a carrier accepted, their segments and their price, summed by day, carrier or outbound number."""
    days, at = Days.wanted(first_day, last_day, services.clock().date()), Page(page, per)
    tenant_id = caller.tenant.tenant_id
    async with services.db.connection() as conn:
        total = await count_costs(conn, tenant_id, days, by)
        costs = await list_costs(conn, tenant_id, days, by, per, at.offset)
    return Response([_object(one) for one in costs], headers=page_headers(request.url, at, total))


def _object(cost: Cost) -> CostObject:
    price = None if cost.price is None else written(cost.price)
    return CostObject(cost.group, cost.currency, cost.texts, cost.segments, price)


router = Router("/costs", route_handlers=[sum_costs], tags=["Costs"])
