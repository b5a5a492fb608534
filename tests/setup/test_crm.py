"""The `crm` of a set-up file: what is taken, what is kept, and every mistake where it stands."""

from typing import Any

import pytest

from smsdesk.crm.registry import CRMS
from smsdesk.setup.crm import read_crm
from smsdesk.setup.document import read_documents
from tests.setup.kit import FILES

CONFIGS = {name: each.Config for name, each in CRMS.items()}
ZENDESK = {
    "type": "zendesk",
    "base_url": "https://acme.zendesk.com",
    "email": "desk@example.com",
    "api_token": {"env": "ZENDESK_TOKEN"},
}


def read(text: str, before: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
    """The CRM that the settings would have, and the mistakes."""
    (document,) = read_documents(f"tenant: acme\nsettings:\n  crm: {text}\n".encode(), "setup.yaml")
    item = (
        document.root.fields()["settings"].fields()["crm"].read(lambda value: read_crm(value, before, CONFIGS, FILES))
    )
    assert item is None or (item.kind, item.name, set(item.fields)) == ("settings", "", {"crm"})
    return item.fields["crm"] if item else None, [fault.line("f") for fault in document.faults]


def test_all_that_a_zendesk_account_needs() -> None:
    text = (
        "{type: zendesk, base_url: https://acme.zendesk.com, email: desk@example.com,"
        " api_token: {env: ZENDESK_TOKEN}, contacts: create, tickets: append, tags: [sms, urgent], timeout: 5}"
    )
    more = {"contacts": "create", "tickets": "append", "tags": ["sms", "urgent"], "timeout": 5}
    assert read(text) == ({**ZENDESK, **more}, [])


def test_a_file_changes_only_the_keys_that_it_names() -> None:
    before = {**ZENDESK, "contacts": "create", "tickets": "append"}
    assert read("{tickets: create, contacts: null}", before) == ({**ZENDESK, "tickets": "create"}, [])


def test_another_type_begins_anew() -> None:
    crm, faults = read("{type: generic, url: https://crm.example.com/hook, secret: {file: hook.key}}", ZENDESK)
    assert faults == []
    assert crm == {
        "type": "generic", "url": "https://crm.example.com/hook", "secret": {"file": str(FILES / "hook.key")}
    }  # fmt: skip


def test_null_takes_it_away() -> None:
    assert read("null", ZENDESK) == (None, [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{url: https://crm.example.com}", "3:8: settings.crm: needs a `type`. Known: generic, zendesk."),
        ("{type: zendek}", '3:15: settings.crm.type: there is no type of CRM "zendek". Did you mean "zendesk"?'),
        ("[zendesk]", "3:8: settings.crm: must be a mapping of keys to values, not a list"),
        ("{type: generic, url: https://crm.example.com}",
         "3:8: settings.crm: needs the key `secret`: add `secret:` with {env: NAME} or {file: PATH}"),
        ("{type: generic, url: https://crm.example.com, secret: hush}",
         "3:62: settings.crm.secret: a secret does not belong into this file: write {env: NAME} for an"
         " environment variable or {file: PATH} for a file"),
        ("{type: generic, url: http://crm.example.com, secret: {env: KEY}}",
         "3:8: settings.crm: the address must begin with https://, or else set plain_http: true"),
        ("{type: generic, url: https://crm.example.com, secret: {env: KEY}, ticket: create}",
         '3:74: settings.crm.ticket: there is no key "ticket" here. Did you mean "tickets"?'),
        ("{type: generic, url: https://crm.example.com, secret: {env: KEY}, tickets: make}",
         '3:83: settings.crm.tickets: must be one of append, create, given, not "make".'),
    ],
)  # fmt: skip
def test_each_mistake_where_it_stands(text: str, says: str) -> None:
    _, faults = read(text)
    assert [fault.removeprefix("f:") for fault in faults] == [says]
