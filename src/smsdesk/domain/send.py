"""What a request to send must say, judged without a database: the first check that fails is the answer.

The order is the seed's: chat type, the two switches, the consumer's number, our number, the message; then ours: length
and agent. What other requests may change at this moment (consent, the open session, the key) is judged by the accept
statement, in its transaction.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from smsdesk.domain.hours import read_zone
from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.domain.quiet_hours import CATEGORIES
from smsdesk.domain.segments import Segments, segment
from smsdesk.domain.tenant import Agent, Tenant
from smsdesk.errors import Problem, Reason

CHAT_TYPES = frozenset({"Messaging (SMS)", "Messaging (API)", "SMS"})
MOST_PARTS = 10
LONGEST_TICKET_ID = 255
ON_DOUBT = ("hold", "resend")
AGENT_KEYS = frozenset({"agentId", "agent_id", "agentEmail", "agent_email"})
CHOICES = AGENT_KEYS | {"ticket_id", "on_doubt", "category", "end_user_time_zone"}
"""Fields that most requests do without."""


class Send(NamedTuple):
    """A request that passed all checks that need no transaction."""

    end_user_number: str
    outbound_number: str
    body: str
    segments: Segments
    agent: Agent | None
    ticket_id: str | None
    on_doubt: str = "hold"
    """`resend`: sent again where nobody knows whether it left."""
    category: str = "transactional"
    """One of CATEGORIES: whether quiet hours hold it."""
    time_zone: str | None = None
    """Where the consumer is, as an IANA zone, where the request says so."""


def check_send(fields: Mapping[str, object], tenant: Tenant) -> Send:
    """The send that these request fields ask for; raises the Problem that the imitated API would answer first."""
    chat_type = fields.get("chat_type")
    if _missing(chat_type):
        raise Problem("chat_type_missing")
    if not isinstance(chat_type, str) or chat_type.strip() not in CHAT_TYPES:
        raise Problem("chat_type_invalid")
    if not tenant.settings.sms_enabled:
        raise Problem("sms_disabled")
    if not tenant.settings.outbound_sms_enabled:
        raise Problem("outbound_sms_disabled")
    end_user_number = _number(
        fields.get("end_user_number"), tenant, "end_user_number_missing", "end_user_number_invalid"
    )
    outbound_number = _outbound_number(fields.get("outbound_number"), tenant)
    if outbound_number not in tenant.numbers:
        raise Problem("outbound_number_unknown")
    body = read_body(fields.get("message"))
    segments = segment(body)
    if len(segments.parts) > MOST_PARTS:
        raise Problem("message_too_long")
    if CHOICES.isdisjoint(fields):
        settings = tenant.settings
        return Send(
            end_user_number, outbound_number, body, segments, None, None, settings.on_doubt, settings.default_category
        )
    return Send(
        end_user_number,
        outbound_number,
        body,
        segments,
        find_agent(fields, tenant),
        _ticket_id(fields.get("ticket_id")),
        _on_doubt(fields.get("on_doubt"), tenant),
        _category(fields.get("category"), tenant),
        _time_zone(fields.get("end_user_time_zone")),
    )


def read_body(value: object) -> str:
    """The text of a message; raises where there is none, or where it has a character that no phone can show."""
    if _missing(value):
        raise Problem("message_missing")
    if not isinstance(value, str):
        raise Problem("parameter_invalid", "message is invalid")
    _refuse_nul(value, "message")
    return value


def find_agent(fields: Mapping[str, object], tenant: Tenant) -> Agent | None:
    """The agent that a request names by id, by e-mail or by both, in either spelling; raises where they disagree."""
    if fields.keys().isdisjoint(AGENT_KEYS):
        return None
    named = [_agent_by_id(fields.get(key), tenant) for key in ("agentId", "agent_id") if not _missing(fields.get(key))]
    named += [
        _agent_by_email(fields.get(key), tenant)
        for key in ("agentEmail", "agent_email")
        if not _missing(fields.get(key))
    ]
    if not named:
        return None
    agent = named[0]
    if agent is None or agent.disabled or any(other is not agent for other in named):
        raise Problem("agent_unknown")
    return agent


def _agent_by_id(value: object, tenant: Tenant) -> Agent | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 18:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return tenant.agents.get(value)
    return None


def _agent_by_email(value: object, tenant: Tenant) -> Agent | None:
    return tenant.agents_by_email.get(value.strip().lower()) if isinstance(value, str) else None


_read_ours = lru_cache(maxsize=1024)(read_number)
"""Few numbers of ours are in most requests, each written in few ways."""


def _number(
    value: object,
    tenant: Tenant,
    missing: Reason,
    invalid: Reason,
    read: Callable[[str, frozenset[str]], str | NumberProblem] = read_number,
) -> str:
    if _missing(value):
        raise Problem(missing)
    if not isinstance(value, str):
        raise Problem(invalid)
    number = read(value, frozenset(tenant.settings.allowed_regions))
    if number is NumberProblem.REGION:
        raise Problem("non_us_number")
    if isinstance(number, NumberProblem):
        raise Problem(invalid)
    return number


def _outbound_number(value: object, tenant: Tenant) -> str:
    """One of the tenant's short codes as it is, for it is no phone number; anything else as `_number` reads it."""
    if isinstance(value, str) and (code := value.strip()).isdecimal() and code in tenant.numbers:
        return code
    return _number(value, tenant, "outbound_number_missing", "outbound_number_invalid", _read_ours)


def _ticket_id(value: object) -> str | None:
    if _missing(value):
        return None
    if not isinstance(value, str):
        raise Problem("parameter_invalid", "ticket_id is invalid")
    if len(value) > LONGEST_TICKET_ID:
        raise Problem("parameter_invalid", f"ticket_id is longer than {LONGEST_TICKET_ID} characters")
    _refuse_nul(value, "ticket_id")
    return value


def _on_doubt(value: object, tenant: Tenant) -> str:
    if _missing(value):
        return tenant.settings.on_doubt
    if not isinstance(value, str) or value not in ON_DOUBT:
        raise Problem("parameter_invalid", f"on_doubt must be one of {', '.join(ON_DOUBT)}")
    return value


def _category(value: object, tenant: Tenant) -> str:
    if _missing(value):
        return tenant.settings.default_category
    if not isinstance(value, str) or value not in CATEGORIES:
        raise Problem("parameter_invalid", f"category must be one of {', '.join(CATEGORIES)}")
    return value


def _time_zone(value: object) -> str | None:
    if _missing(value):
        return None
    try:
        return read_zone(str(value)).key
    except ValueError:
        raise Problem("parameter_invalid", "end_user_time_zone is no IANA zone, such as America/New_York") from None


def _missing(value: object) -> bool:
    """Absent, null, empty and blank are all the same to the imitated API's users."""
    return value is None or (isinstance(value, str) and not value.strip())


def _refuse_nul(value: str, name: str) -> None:
    at = value.find("\0")
    if at >= 0:
        raise Problem("parameter_invalid", f"{name} has a character that cannot be sent: U+0000 at position {at}")
