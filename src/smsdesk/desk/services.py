"""What the pages share: made once by `wiring`, handed to each handler by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from smsdesk.actions.add_media import AddMedia
from smsdesk.actions.answer_chat import AnswerChat
from smsdesk.actions.finish_chat import FinishChat
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.actions.send_message import SendMessage
from smsdesk.desk.callers import Proxies
from smsdesk.desk.hub import Hub
from smsdesk.desk.memo import Memo
from smsdesk.desk.oidc import Providers
from smsdesk.media.stores import Stores
from smsdesk.steps.begin import Begin
from smsdesk.store.db import Database
from smsdesk.store.directory import Directory


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases and reads that the desk offers."""

    db: Database
    clock: Callable[[], datetime]
    begin: Begin
    secret: Callable[[int], bytes]
    """So many random octets that nobody can guess."""
    directory: Directory
    hub: Hub
    send_message: SendMessage
    answer_chat: AnswerChat
    finish_chat: FinishChat
    receive_reply: ReceiveReply
    add_media: AddMedia
    media_stores: Stores
    environ: Mapping[str, str]
    """Where the references of set-up files to secrets lead."""
    domain: str = ""
    """The host name under which each tenant's subdomain lies."""
    lab_page: str = ""
    """Where the lab's handsets are, where this server has a lab."""
    wake: Callable[[int], None] = lambda _tenant_id: None
    """Called when a tenant has a new text in the queue: a hint for whoever delivers."""
    memo: Memo = field(default_factory=Memo)
    """What is the same for all who look at it in one moment."""
    proxies: Proxies = field(default_factory=Proxies)
    """Whose word is taken for where a request came from."""
    providers: Providers = field(default_factory=Providers)
    """What is known of identity providers."""
