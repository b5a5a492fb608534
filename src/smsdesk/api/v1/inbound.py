"""POST /apps/api/v1/inbound: a consumer's text, handed over by a program that has a carrier of its own.

An addition of ours: no page read describes how the imitated product is given one.
"""

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from smsdesk.actions.settle_opt_out import settle_opt_out
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chats import REFUSALS
from smsdesk.domain.inbound import HandedOver, read_inbound


class NewInbound(msgspec.Struct, rename={"from_": "from"}):
    """A text from a consumer (`from`) to a number of ours (`to`). `id` is its name where it came from: the same
    text has the same. `media` are addresses of files, to be fetched."""

    from_: str
    to: str
    id: str
    body: str = ""
    media: list[str] = []


class InboundObject(msgspec.Struct):
    """That it is kept. `chat_id` is the chat that it is in; null for one that was taken in before."""

    message: str
    chat_id: int | None


@post("/", status_code=202, summary="Hand over a consumer's text", responses=REFUSALS)
async def take(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[NewInbound]
) -> InboundObject:
    """Takes it in as if it had come over the number's own line: STOP is obeyed, everything else goes to a person. Every
    id is taken in once, with an Idempotency-Key or without."""
    told = HandedOver(data.id, data.from_, data.to, data.body, data.media)
    part = read_inbound(told, caller.tenant, services.clock())
    tenant_id = caller.tenant.tenant_id
    received = await services.receive_reply(tenant_id, part)
    if received.opted_out:
        # Where something is on its way to him still, the confirmation waits for it by itself.
        await settle_opt_out(services.db, tenant_id, part.source, services.clock())
    if received.answered:
        services.wake(tenant_id)
    return InboundObject("accepted", received.chat_id)


router = Router("/inbound", route_handlers=[take], tags=["SMS"])
