"""Reads the settings of consent: what a STOP covers from which day on, and how much a carrier is believed unseen."""

import re
from datetime import date
from typing import Any

from smsdesk.domain.consent_list import SCOPES
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Reader, Value, choice, integer, mapping, text

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: Value) -> str:
    written = text(10)(value)
    try:
        if not _DAY.fullmatch(written):
            raise ValueError
        date.fromisoformat(written)
    except ValueError:
        raise WrongValue(f'"{written}" is no day: write it as 2027-01-31') from None
    return written


_RULE: dict[str, Reader[Any]] = {"from": _day, "scope": choice(*SCOPES)}


def _rules(value: Value) -> list[dict[str, Any]]:
    rules = []
    for entry in value.entries():
        before = len(entry.findings.faults)
        given, _ = mapping(entry, _RULE)
        if len(entry.findings.faults) > before:
            continue
        if set(given) != set(_RULE):
            raise WrongValue("each rule has `from`, a day, and `scope`: number, brand or all")
        rules.append(given)
    days = [rule["from"] for rule in rules]
    if days != sorted(set(days)):
        raise WrongValue("the rules must be in the order of their days, one for each day")
    return rules


CONSENT_SETTINGS: dict[str, Reader[Any]] = {
    "consent_scope": _rules,
    "carrier_opt_outs_most": integer(0, 1_000_000),
}
