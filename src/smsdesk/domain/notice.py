"""Sessionless texts: a notice that opens no session, and what a reply to one is."""

from collections.abc import Mapping

from smsdesk.domain.send import Send, check_send
from smsdesk.domain.tenant import Tenant

SESSIONLESS = "Messaging Outbound (SMS Sessionless)"
"""The type of the chat that keeps a notice. It is finished when it begins; no page read has a name for it."""
SESSIONLESS_REPLY = "Messaging Inbound (SMS Sessionless)"
"""The type of the chat that keeps a reply to one: answered by itself, and finished."""
_OF_A_SESSION = frozenset(
    {"chat_type", "chat_subtype", "ticket_id", "agentId", "agent_id", "agentEmail", "agent_email"}
)


def check_notice(fields: Mapping[str, object], tenant: Tenant) -> Send:
    """The notice that these request fields ask for, judged as a send is; what names a session is ignored, as keys that
    are not known are. Raises the Problem that a send would be answered first."""
    known = {name: value for name, value in fields.items() if name not in _OF_A_SESSION}
    return check_send({**known, "chat_type": "Messaging (SMS)"}, tenant)
