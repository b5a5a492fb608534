"""The settings of a tenant: a reader for each field of `domain.tenant.TenantSettings`, with its type and range."""

import re
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from smsdesk.domain.agent_status import choices
from smsdesk.domain.consent import read_words
from smsdesk.setup.consent import CONSENT_SETTINGS
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.hours import time_zone
from smsdesk.setup.lists import distinct
from smsdesk.setup.media import MEDIA_SETTINGS
from smsdesk.setup.queue_settings import queue_defaults
from smsdesk.setup.quiet_hours import QUIET_SETTINGS
from smsdesk.setup.sign_in import SIGN_IN_SETTINGS
from smsdesk.setup.values import Reader, Value, boolean, choice, integer, nullable, text

_URL = re.compile(r"https?://[^\s/{}]+[^\s]*")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def url(value: Value) -> str:
    """An address that begins with http:// or https://."""
    address = text(2000)(value)
    if not _URL.fullmatch(address):
        raise WrongValue(f'"{address[:80]}" is no address: it must begin with https:// and hold no spaces')
    return address


def _ticket_url(value: Value) -> str:
    address = url(value)
    if set(_PLACEHOLDER.findall(address)) != {"{ticket_id}"}:
        raise WrongValue("must hold {ticket_id}, where the id of the ticket goes, and no other {...}")
    return address


def _regions(value: Value) -> list[str]:
    codes = [text(10)(each).upper() for each in value.entries()]
    for code in codes:
        if code not in SUPPORTED_REGIONS:
            raise WrongValue(f'"{code}" is no country: use two-letter codes, such as US')
    if not codes or len(set(codes)) < len(codes):
        raise WrongValue("must name at least one country, and each one once, such as [US]")
    return codes


def _menu_word(value: Value) -> str:
    word = text(20)(value)
    if word.isdigit() or read_words(word, opted_out=True):
        raise WrongValue(f'"{word}" means something else: a line of the menu, or STOP, START or HELP')
    return word


def _agent_status(value: Value) -> str:
    status = text(40)(value)
    if choices([status]) == choices([]):
        raise WrongValue(f'"{status}" is there already: leave it out')
    return status


SETTINGS: dict[str, Reader[Any]] = {
    "sms_enabled": boolean,
    "outbound_sms_enabled": boolean,
    "allowed_regions": _regions,
    "when_active": choice("refuse", "append"),
    "outbound_session_minutes": integer(1, 43_200),
    "text_validity_minutes": integer(1, 10_080),
    "on_doubt": choice("hold", "resend"),
    "doubt_resend_minutes": integer(1, 10_080),
    "ticket_url": _ticket_url,
    "company_name": text(60),
    "help_text": text(480, lines=True),
    "requests_per_second": integer(0, 100_000),
    "time_zone": time_zone,
    "queue_defaults": queue_defaults,
    "default_queue": text(400),
    "unmapped_replies": choice("supervisors", "silence"),
    "back_word": _menu_word,
    "exit_word": _menu_word,
    "chats_per_agent": integer(1, 100),
    "agent_statuses": distinct(_agent_status),
    "sessionless_reply": text(480, empty=True, lines=True),
    "sessionless_days": integer(1, 365),
    **CONSENT_SETTINGS,
    **MEDIA_SETTINGS,
    **QUIET_SETTINGS,
    **SIGN_IN_SETTINGS,
}
"""`null` for any of them goes back to the default. 10,080 minutes are the week after which networks drop a text."""

NAMES = frozenset((*SETTINGS, "crm"))
"""`crm` is read by `setup/crm.py`, since its keys are those of its type."""

READERS: dict[str, Reader[Any]] = {name: nullable(reader) for name, reader in SETTINGS.items()}
