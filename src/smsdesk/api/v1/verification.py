"""/apps/api/v1/chats/{chat_id}/verification: whether the consumer has the phone in his hand."""

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS
from smsdesk.domain.verification import MOST_TRIES
from smsdesk.errors import Problem
from smsdesk.store.chats import has_chat
from smsdesk.store.verifications import find_verification

ChatId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The chat's `id`.")]


class SentCodeObject(msgspec.Struct):
    """A code that was sent; the consumer answers with it."""

    message_id: int
    expires_at: str


class VerificationObject(msgspec.Struct):
    """How it stands: `verified` once the right code has come back."""

    verified: bool
    sent_at: str
    expires_at: str
    tries_left: int
    verified_at: str | None


@post("/", status_code=200, summary="Send a one-time code", responses=REFUSALS)
async def send_code(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId
) -> SentCodeObject:
    """Sends six digits to the consumer. The chat's `verified` becomes true when they come back within ten minutes."""
    sent = await services.send_code(caller.tenant, chat_id)
    services.wake(caller.tenant.tenant_id)
    return SentCodeObject(sent.message_id, time(sent.expires_at))


@get("/", summary="Read how the verification stands", responses=REFUSALS)
async def read_verification(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId
) -> VerificationObject:
    """The code that was sent last, without the code."""
    tenant_id = caller.tenant.tenant_id
    async with services.db.transaction() as conn:
        found = await find_verification(conn, tenant_id, chat_id) if await has_chat(conn, tenant_id, chat_id) else None
    if found is None:
        raise Problem("not_found", "no code was sent in this chat")
    verified_at = time(found.verified_at) if found.verified_at else None
    left = max(0, MOST_TRIES - found.tries)
    return VerificationObject(verified_at is not None, time(found.sent_at), time(found.expires_at), left, verified_at)


router = Router("/chats/{chat_id:int}/verification", route_handlers=[send_code, read_verification], tags=["Chats"])
