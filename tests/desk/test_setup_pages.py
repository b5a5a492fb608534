"""The set-up in the browser, as requests meet it: forms give back what stands, nothing is applied that was not shown,
nobody applies who may not."""

import re

import pytest
from bs4 import BeautifulSoup, Tag

from smsdesk.desk.forms.kinds import KINDS
from smsdesk.desk.forms.settings import GROUPS
from smsdesk.setup.export import export_file
from smsdesk.store.setup import read_state
from tests.kit.desk import DeskKit, Person, Seen

HOSTILE = "<img src=x onerror=alert(1)>\"'\u202e"
FULL = """
tenant: acme
settings:
  company_name: Acme
  quiet_hours: {begin: "20:00", categories: []}
  crm: {type: zendesk, base_url: "https://acme.zendesk.com", email: a@foo.com, api_token: {env: ACME_CRM_TOKEN},
     tags: [a, b]}
  media_store: {s3: {endpoint: "https://s3.foo.com", bucket: sms, access_key: {env: ACME_KEY},
     secret_key: {env: ACME_SECRET}}}
  oidc: {issuer: "https://id.foo.com", client_id: desk, client_secret: {env: ACME_OIDC}}
  consent_scope: [{from: 2026-01-01, scope: all}]
  queue_defaults: {lang: es, texts: {greeting: ""}, dispositions: [Ready, Late],
     hours: {week: {mon-fri: "09:00-17:00"}}}
carriers:
  - {name: up, type: smpp, host: 127.0.0.1, system_id: "007", password: {env: ACME_PASS}, response_timeout: 2.5,
     tls: false,
     receipt_errors: {"012": landline}, rates: {csv: "prefix,price,currency\\n1,0.0079,USD"}}
  - {name: http, type: generic, base_url: "https://sms.example.com/{destination}", fields: {to: "{destination}",
     n: [1]},
     answers: {message_id: id, refused: {no: blocked}}, callbacks: {statuses: {ok: delivered}, proof: {kind: basic}}}
queues:
  - name: Support
    texts: {menu: "Reply:\\n@{MENU}"}
    hours: {time_zone: UTC, week: {mon: ["09:00-12:00", "13:00-02:00"]}, holidays: {2026-12-25: closed}}
    children:
      - {name: "A & B", hidden: true, hours: always, skills: [], groups: [{name: Seniors}, {name: Juniors,
     seconds: 60}]}
      - {name: Orders, keyword: ORD, survey: true}
numbers:
  - {number: 62855, carrier: up, fallbacks: [http, lab], label: Main, brand: acme}
limits:
  - {brand: acme, segments: 5, per: 90}
  - {tenant: true, segments: 5000, per: hour}
agents:
  - {email: john.doe@foo.com, queues: [{queue: "A & B", group: Juniors}, Orders], skills: [x], max_chats: 5}
  - {email: second@foo.com, queues: []}
shortcuts:
  - {name: hours, category: Common, text: "We are open.\\n@{CUSTOMER_FIRST_NAME}"}
"""


def typed_in(page: BeautifulSoup, form: str = "#setup-form") -> list[tuple[str, str]]:
    """What a browser would send of a form that nobody touched, without its buttons."""
    found = page.select_one(form)
    assert found is not None, page
    sent: list[tuple[str, str]] = []
    for each in found.select("input[name], select[name], textarea[name]"):
        name = str(each["name"])
        if each.name == "select":
            chosen = each.select_one("option[selected]") or each.select_one("option")
            assert isinstance(chosen, Tag)
            sent.append((name, str(chosen.get("value", chosen.text))))
        elif each.name == "textarea":
            sent.append((name, each.text.removeprefix("\n").replace("\n", "\r\n")))
        elif each.get("type") != "checkbox" or each.has_attr("checked"):
            sent.append((name, str(each.get("value", ""))))
    return sent


async def fill(person: Person, path: str, step: str = "plan", **typed: str) -> Seen:
    """Opens a form, types, saves."""
    seen = await person.get(path)
    assert seen.status == 200, path
    sent = [(name, typed.pop(name, value)) for name, value in typed_in(seen.html)]
    return await person.post(path.partition("?")[0], [*sent, *typed.items(), ("step", step)])


def lines(seen: Seen) -> list[str]:
    assert seen.status == 200, seen.html.select(".notice.error, .field-error")
    return [each.text.strip() for each in seen.html.select("ol.plan li")]


async def apply(person: Person, seen: Seen) -> Seen:
    """Presses the button of a preview."""
    return await person.post("/desk/admin/apply", typed_in(seen.html, 'form[action="/desk/admin/apply"]'))


async def set_up(desk: DeskKit, file: str = FULL) -> Person:
    boss = await desk.person("administrator")
    seen = await boss.post("/desk/admin/file", {"document": file})
    assert seen.status == 200, seen.html.select(".notice.error li")
    assert (await apply(boss, seen)).status == 303
    return boss


async def exported(desk: DeskKit) -> str:
    async with desk.services.db.connection() as conn:
        return export_file(await read_state(conn, "acme"))


async def test_every_form_that_nobody_touched_changes_nothing(desk: DeskKit) -> None:
    boss = await set_up(desk)
    paths = [f"/desk/admin/settings/{each.name}" for each in GROUPS]
    for listed in KINDS.values():
        page = (await boss.get(f"/desk/admin/{listed.section}")).html
        paths += [str(each["href"]) for each in page.select("tbody a")]
    assert len(paths) > 20
    for path in paths:
        seen = await fill(boss, path)
        assert seen.status == 200, (path, seen.html.select(".field-error, .notice.error"))
        assert "Nothing: the set-up is like this already." in seen.text, (path, lines(seen))
        assert len(seen.text) < 300_000, path


CHANGES: list[tuple[str, dict[str, str], list[str]]] = [
    ("settings/general", {"company_name": "Foo: Inc."}, ['company_name: "Acme" -> "Foo: Inc."']),
    ("settings/sending", {"sms_enabled": "no", "allowed_regions": "US\r\nde"},
     ["sms_enabled: null -> false", 'allowed_regions: null -> ["US", "DE"]']),
    ("settings/queue-defaults", {"queue_defaults.texts.greeting:own": "", "queue_defaults.lang": ""},
     ['queue_defaults.lang: "es" -> null', 'queue_defaults.texts.greeting: "" -> null']),
    ("settings/consent", {"consent_scope.1.from": "2026-05-01", "consent_scope.1.scope": "brand"}, ["consent_scope: "]),
    ("settings/quiet-hours", {"quiet_hours.begin": "21:30"}, ["quiet_hours: "]),
    ("settings/media", {"media_store:own": ""}, ["media_store: "]),
    ("settings/crm", {"crm.contacts": "create"}, ["crm: "]),
    ("settings/sign-in", {"oidc.label": "Foo"}, ["oidc: "]),
    ("carriers/edit?name=up", {"port": "2776", "receipt_errors.1.key": "013", "receipt_errors.1.value": "blocked"},
     ["port: null -> 2776", 'receipt_errors: {"012": "landline"} -> {"012": "landline", "013": "blocked"}']),
    ("carriers/edit?name=http", {"fields": '{"to": "{destination}"}', "answers.taken": "ok"}, ["fields: ",
     "answers: "]),
    ("carriers/edit?kind=lab", {"name": "lab2"}, ["+ carrier lab2"]),
    ("queues/edit?name=Support%2FOrders", {"hours:kind": "week", "hours.week.tue": "09:00-12:00, 13:00-16:00"},
     ["hours: null -> tue 09:00-12:00 and 13:00-16:00"]),
    ("queues/edit?name=Support", {"texts.menu": "Say:\r\n@{MENU}", "skills:own": "own"},
     ["skills: null -> []", 'texts.menu: "Reply:\\n@{MENU}" -> "Say:\\n@{MENU}"']),
    ("queues/edit", {"name": "Billing", "parent": "Support"}, ["+ queue Support/Billing"]),
    ("numbers/edit?name=62855", {"queue": "Support", "fallbacks.1": ""}, ['fallbacks: ["http", "lab"] -> ["http"]']),
    ("numbers/edit", {"number": "+1 628-555-0177", "carrier": "lab"}, ["+ number +16285550177"]),
    ("limits/edit", {"scope": "carrier", "of": "up", "segments": "7", "per": "second"},
     ["+ limit carrier up per second"]),
    ("limits/edit?name=brand+acme+per+90+seconds", {"segments": "6"}, ["segments: 5 -> 6"]),
    ("agents/edit?name=john.doe%40foo.com", {"first_name": "Jon", "queues.0.group": "Seniors"}, ["first_name: "]),
    ("agents/edit", {"email": "new@foo.com", "queues.0.queue": "Support/Orders"}, ["+ agent new@foo.com"]),
    ("shortcuts/edit", {"name": "Bye", "text": "Bye!"}, ["+ shortcut bye"]),
]  # fmt: skip


async def test_each_form_plans_what_was_typed_and_applies_it(desk: DeskKit) -> None:
    boss = await set_up(desk)
    await desk.db.execute("select setval(pg_get_serial_sequence('agents', 'agent_id'), 1000)")
    for path, typed, wanted in CHANGES:
        before = await exported(desk)
        seen = await fill(boss, f"/desk/admin/{path}", **typed)
        assert seen.status == 200, (path, seen.html.select(".field-error, .notice.error"))
        said = lines(seen)
        for each in wanted:
            assert any(line.startswith(each) for line in said), (path, said)
        assert await exported(desk) == before, "shown is not applied"
        done = await apply(boss, seen)
        assert done.status == 303, (path, done.text)
        assert (await boss.get(done.headers["location"])).status == 200
        assert await exported(desk) != before
        assert "Nothing" in (await boss.post("/desk/admin/file", {"document": typed_document(seen)})).text


def typed_document(seen: Seen) -> str:
    return dict(typed_in(seen.html, 'form[action="/desk/admin/apply"]'))["document"]


async def test_mistakes_stand_at_their_fields_and_nothing_typed_is_lost(desk: DeskKit) -> None:
    boss = await set_up(desk)
    seen = await fill(
        boss, "/desk/admin/queues/edit?name=Support%2FA+%26+B",
        **{"offer_seconds": "soon", "groups.1.seconds": "1", "hours:kind": "week", "hours.week.mon": "9-17",
           "keyword": HOSTILE * 2, "texts.hold:own": "own", "texts.hold": "@{NOBODY}" + "x" * 10_000},
    )  # fmt: skip
    assert seen.status == 422
    page = seen.html
    for name in ("offer_seconds", "keyword", "texts.hold", "hours"):
        assert page.select_one(f'[id="{name}"][aria-invalid="true"]'), name
    assert "must be a whole number" in page.select_one('[id="offer_seconds-error-1"]').text  # type: ignore[union-attr]
    assert page.select_one('[id="groups.1.seconds"]').find_next("p", "field-error")  # type: ignore[union-attr]
    sent = dict(typed_in(page))
    assert (sent["offer_seconds"], sent["groups.1.seconds"], sent["hours.week.mon"]) == ("soon", "1", "9-17")
    assert (sent["keyword"], len(sent["texts.hold"]), sent["hours:kind"]) == (HOSTILE * 2, 10_009, "week")
    assert "<img src=x" not in seen.text


@pytest.mark.parametrize("path", ["carriers/edit?kind=smpp", "numbers/edit", "queues/edit", "limits/edit",
 "agents/edit",
                                  "shortcuts/edit", "carriers/edit?kind=generic"])  # fmt: skip
async def test_an_empty_form_says_what_it_needs(desk: DeskKit, path: str) -> None:
    boss = await desk.person("administrator")
    seen = await fill(boss, f"/desk/admin/{path}")
    assert seen.status == 422
    assert seen.html.select(".field-error, .notice.error")


async def test_back_to_the_form_keeps_what_was_typed(desk: DeskKit) -> None:
    boss = await set_up(desk)
    seen = await fill(boss, "/desk/admin/queues/edit?name=Support", target_seconds="77")
    form = seen.html.select_one('form[action="/desk/admin/queues/edit"]')
    assert form
    back = await boss.post("/desk/admin/queues/edit", typed_in(seen.html, 'form[action="/desk/admin/queues/edit"]'))
    assert back.status == 200
    assert dict(typed_in(back.html))["target_seconds"] == "77"
    rows = await fill(boss, "/desk/admin/queues/edit?name=Support", step="rows", target_seconds="77")
    assert dict(typed_in(rows.html))["target_seconds"] == "77"
    assert len(rows.html.select('[id="groups-rows"] tbody tr')) == 10


async def test_what_is_taken_away_is_shown_with_what_stands_against_it(desk: DeskKit) -> None:
    boss = await set_up(desk)
    await desk.db.execute(
        """insert into end_users (tenant_id, end_user_id, number, created_at) overriding system value
           values (1, 900, '+14155550100', now())"""
    )
    seen = await boss.post("/desk/admin/queues/edit", {"key": "Support/Orders", "step": "delete"})
    assert lines(seen)[0] == "~ queue Support/A & B" or "- queue Support/Orders" in lines(seen)
    seen = await boss.post("/desk/admin/queues/edit", {"key": "Support/Orders", "step": "delete",
                                                       "move_chats_to": "Support/A & B"})  # fmt: skip
    assert (await apply(boss, seen)).status == 303
    assert "Orders" not in await exported(desk)
    seen = await boss.post("/desk/admin/carriers/edit", {"key": "up", "step": "delete"})
    assert seen.status == 422
    assert "the number 62855 still uses it" in seen.text
    seen = await boss.post("/desk/admin/settings/crm", {"step": "delete"})
    assert lines(seen)[1].startswith("crm: ")


async def test_two_administrators_at_once_and_one_that_presses_twice(desk: DeskKit) -> None:
    boss = await desk.person("administrator")
    first = await fill(boss, "/desk/admin/settings/general", company_name="One")
    second = await fill(boss, "/desk/admin/settings/general", company_name="Two")
    assert (await apply(boss, first)).status == 303
    moved = await apply(boss, second)
    assert moved.status == 409
    assert "Somebody else has changed the set-up meanwhile" in moved.text
    assert [each.text.strip() for each in moved.html.select("ol.plan li.of")] == ['company_name: "One" -> "Two"']
    assert "company_name: One" in await exported(desk)
    assert (await apply(boss, moved)).status == 303
    assert "company_name: Two" in await exported(desk)
    again = await apply(boss, moved)
    assert again.status == 409
    assert "Nothing: the set-up is like this already." in again.text
    assert await desk.db.fetchval("select count(*) from audit where action = 'change setup'") == 2
    notice = await boss.get("/desk/admin/moved?digest=other")
    assert "Somebody else has changed" in notice.text


async def test_the_audit_has_the_change_without_secrets(desk: DeskKit) -> None:
    desk.services.environ["ACME_WORD"] = "sesame sesame"  # type: ignore[index]
    boss = await desk.person("administrator")
    seen = await fill(boss, "/desk/admin/agents/edit?name=second%40foo.com", password="ACME_WORD", first_name="Jo")
    assert "(hidden)" in " ".join(lines(seen))
    assert (await apply(boss, seen)).status == 303
    row = await desk.db.fetchrow("select source, agent_id, action, subject, details from audit")
    assert (row["source"], row["agent_id"], row["action"]) == ("desk", 11, "change setup")
    assert row["subject"] == "agent second@foo.com"
    assert row["details"]["changes"][0]["fields"]["first_name"] == {"old": "Second", "new": "Jo"}
    assert "argon2" not in str(row["details"])


async def test_only_administrators_come_in_and_plans_are_applied_by_them_alone(desk: DeskKit) -> None:
    boss = await desk.person("administrator")
    seen = await fill(boss, "/desk/admin/settings/general", company_name="Mine")
    for who in ("john", "supervisor"):
        person = await desk.person(who)
        assert (await person.get("/desk/admin")).status == 403
        assert (await person.get("/desk/admin/file/download")).status == 403
        assert (await apply(person, seen)).status == 403
    theirs = await desk.person("their_administrator")
    assert (await apply(theirs, seen)).status == 422
    for path in ("agents/edit?name=john.doe%40foo.com", "numbers/edit?name=%2B16285550199", "queues/edit?name=nothing"):
        assert (await theirs.get(f"/desk/admin/{path}")).status == 404
    assert (await theirs.post("/desk/admin/agents/invite", {"name": "john.doe@foo.com"})).status == 404
    answer = await theirs.post("/desk/admin/file", {"document": "tenant: acme\nagents: [{email: nobody}]"})
    assert answer.status == 422
    assert "write `tenant: other`" in answer.text
    assert "john" not in answer.text
    assert "e-mail address" not in answer.text
    await desk.db.execute("update agents set role = 'supervisor' where agent_id = 11")
    assert (await apply(boss, seen)).status == 403
    assert "Mine" not in await exported(desk)


@pytest.mark.parametrize(
    ("reference", "says"),
    [("{env: SMSDESK_DATABASE_URL}", "the server&#39;s own"), ("{file: /etc/passwd}", "files of the server"),
     ("{env: OTHER_TOKEN}", "begins with ACME_")],
)  # fmt: skip
async def test_a_form_reaches_no_secret_that_is_not_ones_own(desk: DeskKit, reference: str, says: str) -> None:
    boss = await desk.person("administrator")
    line = f"name: up, type: smpp, host: evil.example.com, system_id: a, password: {reference}"
    file = f"tenant: acme\ncarriers: [{{{line}}}]"
    seen = await boss.post("/desk/admin/file", {"document": file})
    assert seen.status == 422
    assert says in seen.text
    seen = await boss.post("/desk/admin/file", {"document": file.replace(reference, "{env: ACME_PASSWORD}")})
    assert seen.status == 200
    for each in ("rates: /etc/passwd", "tls_ca_file: /etc/passwd"):
        seen = await boss.post("/desk/admin/file", {"document": f"tenant: acme\ncarriers: [{{name: lab, {each}}}]"})
        assert "files of the server" in seen.text


async def test_the_whole_file_says_line_and_column_and_keeps_the_text(desk: DeskKit) -> None:
    boss = await desk.person("administrator")
    seen = await boss.post("/desk/admin/file", {"document": "tenant: acme\r\nqueues:\r\n  - {nme: A}"})
    assert seen.status == 422
    assert "Line 3, column 6" in seen.text
    assert "nme: A" in dict(typed_in(seen.html, "#file-form"))["document"]
    broken = await boss.post("/desk/admin/file", {"document": "tenant: [acme"})
    assert broken.status == 422
    page = await boss.get("/desk/admin/file")
    text = dict(typed_in(page.html, "#file-form"))["document"].replace("\r\n", "\n")
    assert text.strip() == (await exported(desk)).strip()
    assert (await boss.get("/desk/admin/file/download")).text == await exported(desk)


async def test_the_order_of_queues_is_typed(desk: DeskKit) -> None:
    boss = await set_up(desk)
    page = await boss.get("/desk/admin/queues/order?parent=Support")
    typed = {"parent": "Support", "place.Support/A & B": "2", "place.Support/Orders": "1"}
    assert "place.Support/A & B" in dict(typed_in(page.html, "form.card"))
    seen = await boss.post("/desk/admin/queues/order", typed)
    assert (await apply(boss, seen)).status == 303
    assert re.search("Orders.*A & B", await exported(desk), re.DOTALL)


async def test_the_overview_says_what_is_missing(desk: DeskKit) -> None:
    boss = await desk.person("administrator")
    page = await boss.get("/desk/admin")
    assert "ready" in page.text
    assert "Nobody works in" not in page.text
    await desk.db.execute("update numbers set queue_id = null where tenant_id = 1")
    assert "reach no queue" in (await boss.get("/desk/admin")).text


async def test_an_invitation_is_a_link_shown_once(desk: DeskKit) -> None:
    boss = await desk.person("administrator")
    seen = await boss.post("/desk/admin/agents/invite", {"name": "second@foo.com"})
    link = str(seen.html.select_one("#invitation")["value"])  # type: ignore[index]
    assert link.startswith(f"{desk.base_url}/desk/password/")
    assert (await desk.nobody().get(link.removeprefix(desk.base_url))).status == 200
