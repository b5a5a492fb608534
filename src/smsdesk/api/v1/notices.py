"""POST /apps/api/v1/notices: a text without a session.

The imitated product has a "Sessionless Outbound SMS API" that behaves so (page sms-api); how it is called is not
public, so that the route and its keys are ours.
"""

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from smsdesk.actions.send_notice import send_notice
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import REFUSALS
from smsdesk.domain.notice import check_notice


class NewNotice(msgspec.Struct):
    """A text to a consumer that opens no session. `category` is `transactional`, `marketing` or `urgent`;
    `end_user_time_zone` says where he is; `on_doubt` is `hold` or `resend`."""

    end_user_number: str
    outbound_number: str
    message: str
    category: str | None = None
    end_user_time_zone: str | None = None
    on_doubt: str | None = None


class NoticeObject(msgspec.Struct):
    """A notice on its way. `chat_id` is the finished chat that keeps it; what becomes of the text is told under
    `/texts/{message_id}`. `due_at` is later than `created_at` where quiet hours hold it."""

    message_id: int
    chat_id: int
    status: str
    end_user_number: str
    outbound_number: str
    segments: int
    created_at: str
    due_at: str


@post("/", status_code=200, summary="Send a text without a session", responses=REFUSALS)
async def send(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[NewNotice]
) -> NoticeObject:
    """Sends a notice under the rules of every text: consent, block list, quiet hours, limits. A reply to it within
    `sessionless_days` gets the tenant's `sessionless_reply`, and goes to nobody; where that is empty, it goes to the
    number's menu as any other."""
    wanted = check_notice(msgspec.to_builtins(data), caller.tenant)
    notice = await send_notice(services.begin, caller.tenant, wanted, caller.credential.credential_id)
    services.wake(caller.tenant.tenant_id)
    text = notice.text
    return NoticeObject(
        text.message_id, text.chat_id, "queued", text.destination, text.source, len(text.segments.parts),
        time(text.at), time(notice.due_at),
    )  # fmt: skip


router = Router("/notices", route_handlers=[send], tags=["SMS"])
