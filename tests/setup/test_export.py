"""What stands, as a file: applying it to what it was made of changes nothing, and to nothing at all makes the same."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from smsdesk.carriers.registry import CARRIERS
from smsdesk.cli.app import build_app
from smsdesk.domain.setup import NEW, State
from smsdesk.setup.document import read_documents
from smsdesk.setup.export import export, export_file
from smsdesk.setup.items import Around, read_items
from smsdesk.setup.plan import plan
from smsdesk.setup.references import final, settle
from smsdesk.setup.writing import as_yaml
from smsdesk.store.db import Database
from smsdesk.store.setup import read_state
from tests.setup.kit import CONFIGS as KIT
from tests.setup.kit import CRMS, applied
from tests.setup.test_round_trip import FILES, dumped

ROOT = Path(__file__).parents[2]
CONFIGS = KIT | {name: each.Config for name, each in CARRIERS.items()}
MORE = """
tenant: acme
settings:
  quiet_hours: {begin: "20:00", categories: []}
  crm: {type: tickets, base_url: "https://crm.foo.com", token: {env: CRM_TOKEN}}
  media_store: {s3: {endpoint: "https://s3.foo.com", bucket: sms, access_key: {env: KEY}, secret_key: {env: SECRET}}}
  consent_scope: [{from: 2026-01-01, scope: all}]
  help_text: "Two\\n lines: yes"
carriers:
  - {name: lab, type: lab}
  - {name: "null", type: smpp, host: 127.0.0.1, system_id: 007, password: {env: PASS}, response_timeout: 0.00001,
     receipt_errors: {"012": landline}, rates: {csv: "prefix,price,currency\\n1,0.0079,USD\\n,0.1,USD"}}
queues:
  - name: Support
    texts: {menu: "Reply:\\n@{MENU}", greeting: ""}
    hours: {week: {fri-mon: "09:00-24:00", wed: ["09:00-12:00", "13:00-02:00"]}, holidays: {2026-12-25: closed}}
    children:
      - {name: "12:30", hidden: true, hours: always, groups: [{name: Seniors}, {name: "yes", seconds: 60}]}
numbers:
  - {number: "+1 628-555-0199", carrier: lab, fallbacks: ["null"], queue: Support, brand: "a per b"}
  - {number: 62855, carrier: lab, agent: Ann@foo.com}
limits:
  - {brand: a per b, segments: 5, per: 90}
  - {tenant: true, segments: 5000, per: hour}
agents:
  - {email: Ann@foo.com, role: supervisor, queues: [{queue: "12:30", group: "yes"}], skills: [No, Yes, "1"]}
  - {email: gone@foo.com, disabled: true, max_chats: 5}
shortcuts:
  - {name: hours, category: Common, text: "We are open.\\n@{CUSTOMER_FIRST_NAME}"}
"""


def after(text: str, state: State, folder: Path = ROOT) -> State:
    (document,) = read_documents(text.encode(), "file")
    wanted = settle(state, read_items(document, Around(state, CONFIGS, folder, CRMS)))
    assert [fault.line("file") for fault in wanted.faults] == []
    return stored(State(state.subdomain, 1, final(state, wanted.items)))


def stored(state: State) -> State:
    """As it stands in the database, where what is null is not there."""

    def rest(kind: str, fields: Any) -> Any:
        named = NEW.get(kind, {})  # type: ignore[call-overload]
        return {name: value for name, value in fields.items() if value is not None or name in named}

    things = {("settings", ""): {}, **state.things}
    return replace(state, things={key: rest(key[0], fields) for key, fields in things.items()})


def changes(text: str, state: State) -> Any:
    (document,) = read_documents(text.encode(), "file")
    wanted = settle(state, read_items(document, Around(state, CONFIGS, ROOT, CRMS)))
    assert [fault.line("file") for fault in wanted.faults] == []
    return plan(state, wanted)


def page_example() -> str:
    page = (ROOT / "docs" / "setup-file.md").read_text(encoding="utf-8")
    found = re.search(r"^```yaml\n(tenant:.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found
    return found[1].replace("rates: rates.csv", 'rates: {csv: "prefix,price,currency\\n1,0.0079,USD"}')


def demo() -> str:
    return (ROOT / "src/smsdesk/demo/setup.yaml").read_text(encoding="utf-8").split("\n---\n")[0]


@pytest.mark.parametrize("file", [MORE, page_example(), demo()], ids=["everything", "the page", "the demo"])
def test_its_own_file_changes_nothing_and_makes_the_same_of_nothing(file: str) -> None:
    state = after(
        re.sub(r",?\s*password: \{(file|env): (john.password|SMSDESK_DEMO_PASSWORD)\}", "", file), State("acme")
    )
    text = export_file(state)
    assert changes(text, state) == []
    assert after(text, State("acme")) == state
    assert export_file(after(text, State("acme"))) == text


@given(FILES)
@settings(max_examples=100, deadline=None)
def test_whatever_stands_its_file_changes_nothing(file: Any) -> None:
    state = after(dumped(file), State("acme"))
    assert changes(export_file(state), state) == []
    assert after(export_file(state), State("acme")) == state


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n"), max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_as_it_was(words: str) -> None:
    (document,) = read_documents(as_yaml({"a": {"b": words}}).encode(), "file")
    node = document.root.fields()["a"].fields()["b"].node
    assert (node.tag, node.value) == ("tag:yaml.org,2002:str", words)


def test_a_number_stays_when_its_country_is_allowed_no_more() -> None:
    state = after("{tenant: acme, settings: {allowed_regions: [DE]}, carriers: [{name: lab, type: lab}], numbers: "
                  "[{number: '+49 30 123456', carrier: lab}]}", State("acme"))  # fmt: skip
    state = after("{tenant: acme, settings: {allowed_regions: [US]}}", state)
    assert changes(export_file(state), state) == []


async def test_no_secret_and_no_password_is_in_it(db: Database) -> None:
    file = """{tenant: acme, carriers: [{name: up, type: line, host: h, system_id: a, password: {env: PASS}}],
               agents: [{email: john.doe@foo.com, password: {env: WORD}}]}"""
    await applied(db, file, {"PASS": "hush", "WORD": "sesame sesame"})
    async with db.connection() as conn:
        state = await read_state(conn, "acme")
    assert export(state)["carriers"] == [
        {"name": "up", "type": "line", "host": "h", "system_id": "a", "password": {"env": "PASS"}}
    ]
    assert export(state)["agents"] == [{"email": "john.doe@foo.com"}]
    assert "argon2" not in export_file(state)


def test_the_command_prints_it_and_says_who_is_not_there(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSDESK_DATABASE_URL", database)
    answer = CliRunner().invoke(build_app([]), ["export", "nobody"])
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert 'there is no tenant "nobody"' in answer.stderr
    file = '{tenant: acme, settings: {company_name: "Foo: Inc."}, queues: [{name: Support}]}'
    assert CliRunner().invoke(build_app([]), ["apply", "-", "--yes"], input=file).exit_code == 0
    printed = CliRunner().invoke(build_app([]), ["export", "acme"]).output
    assert printed == "tenant: acme\nsettings:\n  company_name: 'Foo: Inc.'\nqueues:\n  - name: Support\n"
    assert CliRunner().invoke(build_app([]), ["plan", "-"], input=printed).exit_code == 0
