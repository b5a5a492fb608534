"""The settings of consent, as a file has them."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from smsdesk.setup.consent import CONSENT_SETTINGS
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Findings, Value


def read(written: str) -> tuple[Any, list[str]]:
    findings = Findings()
    value = Value(YAML().compose(written), "consent_scope", findings)
    try:
        return CONSENT_SETTINGS["consent_scope"](value), [fault.says for fault in findings.faults]
    except WrongValue as wrong:
        return None, [str(wrong)]


def test_rules_with_their_days() -> None:
    rules = [{"from": "2025-04-11", "scope": "brand"}, {"from": "2027-01-31", "scope": "all"}]
    assert read("[{from: 2025-04-11, scope: brand}, {from: 2027-01-31, scope: all}]") == (rules, [])


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("[{from: 2027-13-01, scope: all}]", "is no day"),
        ("[{from: 2027-01-31}]", "each rule has"),
        ("[{from: 2027-01-31, scope: some}]", "some"),
        ("[{from: 2027-01-31, scope: all}, {from: 2026-01-31, scope: brand}]", "in the order of their days"),
        ("brand", "must be a list"),
    ],
)
def test_what_is_no_rule(written: str, says: str) -> None:
    assert says in " ".join(read(written)[1])
