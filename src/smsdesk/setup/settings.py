"""The settings of a tenant: a reader for each field of `domain.tenant.TenantSettings`, with its type and range."""

import re
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from smsdesk.setup.faults import WrongValue
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
}
"""`null` for any of them goes back to the default. 10,080 minutes are the week after which networks drop a text."""

READERS: dict[str, Reader[Any]] = {name: nullable(reader) for name, reader in SETTINGS.items()}
