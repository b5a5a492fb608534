"""/apps/api/v1/end_users: who consumers are. `POST /end_users` and `POST /chats/{chat_id}/end_user` are the imitated
product's; the others are additions of ours."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter

from smsdesk.actions.identify_end_user import identify_end_user
from smsdesk.actions.merge_end_users import merge_end_users
from smsdesk.actions.update_end_user import put_end_user, update_end_user
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import EndUserObject, time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, ChatId, ErrorObject, PageNumber, PerPage, read_phone
from smsdesk.domain.end_user import MISSING, EndUserRow, Identity, read_identity
from smsdesk.errors import Problem
from smsdesk.store.db import Connection
from smsdesk.store.end_users import EndUserFilter, count_end_users, find_end_user, find_numbers, list_end_users

EndUserId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The end user's `id`.")]
CHANGES = {**REFUSALS, 409: ResponseSpec(ErrorObject, description="It is another end user's.")}


class EndUserFields(msgspec.Struct):
    """What is told of a consumer; what is absent stays. `name` is both names in one. Null takes a name or the address
    away."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    first_name: str | msgspec.UnsetType | None = msgspec.UNSET
    last_name: str | msgspec.UnsetType | None = msgspec.UNSET
    email: str | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: str | msgspec.UnsetType | None = msgspec.UNSET
    identifier: str | msgspec.UnsetType | None = msgspec.UNSET


class NewEndUser(EndUserFields):
    """A consumer by the identifier that you know him by. `phone` is needed where he is new; one that he did not have is
    added to his."""

    phone: str | None = None


class Merge(msgspec.Struct):
    """Whom the end user turns out to be."""

    into: Annotated[int, msgspec.Meta(ge=1, le=MOST_ID)]


class Accepted(msgspec.Struct):
    """The imitated product's answer to what is done by the time you read it."""

    message: str


class WholeEndUser(EndUserObject, kw_only=True):
    """A consumer. `numbers` are all his phones, the first one his own; `merged_into` is the end user that this one
    turned out to be."""

    number: str
    numbers: list[str]
    name: str
    first_name: str | None
    last_name: str | None
    email: str | None
    time_zone: str | None
    merged_into: int | None
    created_at: str


@get("/", summary="List end users", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    number: Annotated[str | None, QueryParameter(description="Only the one with this phone.")] = None,
    identifier: Annotated[str | None, QueryParameter(description="Only the one with this identifier.")] = None,
) -> Response[list[WholeEndUser]]:
    """Consumers in pages, the newest first."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    wanted = EndUserFilter(read_phone(number, "number", caller), _clean(identifier))
    async with services.db.connection() as conn:
        total = await count_end_users(conn, tenant_id, wanted)
        rows = await list_end_users(conn, tenant_id, wanted, per, at.offset)
        found = await _objects(conn, tenant_id, rows)
    return Response(found, headers=page_headers(request.url, at, total))


@get("/{end_user_id:int}", summary="Read an end user", responses=REFUSALS)
async def read_one(
    services: NamedDependency[Services], caller: NamedDependency[Caller], end_user_id: EndUserId
) -> WholeEndUser:
    """One consumer; of one who was merged, what is left of him."""
    tenant_id = caller.tenant.tenant_id
    async with services.db.connection() as conn:
        row = await find_end_user(conn, tenant_id, end_user_id)
        if row is None:
            raise Problem("not_found")
        return (await _objects(conn, tenant_id, [row]))[0]


@post("/", status_code=200, summary="Create or update an end user by identifier", responses=CHANGES)
async def put_one(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[NewEndUser]
) -> WholeEndUser:
    """The same request again changes nothing."""
    number = read_phone(data.phone or None, "phone", caller)
    row = await put_end_user(services.begin, caller.tenant, _identity(data), number)
    return await _now(services, caller, row)


@patch("/{end_user_id:int}", summary="Change an end user", responses=CHANGES)
async def change(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    end_user_id: EndUserId,
    data: JSONBody[EndUserFields],
) -> WholeEndUser:
    """Keeps what is told; of one who was merged, it is told of the one he turned out to be."""
    row = await update_end_user(services.begin, caller.tenant, end_user_id, _identity(data))
    return await _now(services, caller, row)


@post("/{end_user_id:int}/merge", status_code=200, summary="Merge two end users", responses=CHANGES)
async def merge(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    end_user_id: EndUserId,
    data: JSONBody[Merge],
) -> WholeEndUser:
    """The end user's phones and chats are those of the other from now on; consent stays with each phone. Refused while
    both are in an open chat."""
    row = await merge_end_users(services.begin, caller.tenant, end_user_id, data.into)
    return await _now(services, caller, row)


@post("/{chat_id:int}/end_user", status_code=202, summary="Tell who a chat's consumer is", responses=CHANGES)
async def identify(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[NewEndUser]
) -> Accepted:
    """Keeps who the consumer of an open chat has shown to be."""
    identity = _identity(data)
    if not identity.identifier:
        raise Problem("parameter_invalid", MISSING.format(name="identifier"))
    number = read_phone(data.phone or None, "phone", caller)
    await identify_end_user(services.begin, caller.tenant, chat_id, identity, number)
    return Accepted("accepted")


def _identity(data: EndUserFields) -> Identity:
    told = {name: getattr(data, name) for name in EndUserFields.__struct_fields__}
    return read_identity(**{name: value or "" for name, value in told.items() if value is not msgspec.UNSET})


def _clean(value: str | None) -> str | None:
    # PostgreSQL has no U+0000: nobody can have it in his identifier.
    return value if value is None or "\0" not in value else ""


async def _now(services: Services, caller: Caller, row: EndUserRow) -> WholeEndUser:
    async with services.db.connection() as conn:
        return (await _objects(conn, caller.tenant.tenant_id, [row]))[0]


async def _objects(conn: Connection, tenant_id: int, rows: list[EndUserRow]) -> list[WholeEndUser]:
    numbers = await find_numbers(conn, tenant_id, [row.end_user_id for row in rows])
    return [_object(row, numbers[row.end_user_id]) for row in rows]


def _object(row: EndUserRow, numbers: list[str]) -> WholeEndUser:
    return WholeEndUser(
        row.end_user_id, row.identifier, row.out_contact_id, number=row.number, numbers=numbers,
        name=" ".join(filter(None, (row.first_name, row.last_name))), first_name=row.first_name,
        last_name=row.last_name, email=row.email, time_zone=row.time_zone, merged_into=row.merged_into,
        created_at=time(row.created_at),
    )  # fmt: skip


router = Router("/end_users", route_handlers=[list_all, read_one, put_one, change, merge], tags=["End users"])
chat_router = Router("/chats", route_handlers=[identify], tags=["End users"])
