"""What the routes share: made once by `wiring`, handed to each handler by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from smsdesk.actions.add_media import AddMedia
from smsdesk.actions.answer_chat import AnswerChat
from smsdesk.actions.finish_chat import FinishChat
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.actions.send_code import SendCode
from smsdesk.actions.send_message import SendMessage
from smsdesk.api.limits import RateLimiter
from smsdesk.api.overload import Overload
from smsdesk.domain.tenant import Credential, Tenant
from smsdesk.media.stores import Stores
from smsdesk.steps.begin import Begin
from smsdesk.store.db import Database
from smsdesk.store.directory import Directory


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases and reads that the API offers."""

    db: Database
    clock: Callable[[], datetime]
    begin: Begin
    directory: Directory
    limiter: RateLimiter
    overload: Overload
    send_message: SendMessage
    answer_chat: AnswerChat
    finish_chat: FinishChat
    receive_reply: ReceiveReply
    send_code: SendCode
    add_media: AddMedia
    media_stores: Stores
    environ: Mapping[str, str]
    """Where the references of set-up files to secrets lead."""
    domain: str = ""
    """The host name under which each tenant's subdomain lies; empty trusts the user name."""
    lab_page: str = ""
    """Where the lab's handsets are, where this server has a lab."""
    wake: Callable[[int], None] = lambda _tenant_id: None
    """Called when a tenant has a new text in the queue: a hint for whoever delivers."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request."""

    tenant: Tenant
    credential: Credential
