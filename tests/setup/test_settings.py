"""Every setting that the code knows can be set in a file, with a value in its range, and reads back as its type."""

from dataclasses import fields
from typing import Any

import pytest

from smsdesk.domain.quiet_hours import QuietHours
from smsdesk.domain.tenant import TenantSettings
from smsdesk.setup.faults import SetupError
from smsdesk.setup.settings import NAMES
from smsdesk.store.db import Database
from smsdesk.store.tenants import find_tenant_id, read_tenant
from tests.setup.kit import applied

EXAMPLES: dict[str, tuple[str, Any]] = {
    "sms_enabled": ("false", False),
    "outbound_sms_enabled": ("false", False),
    "allowed_regions": ("[de, US]", ("DE", "US")),
    "when_active": ("append", "append"),
    "outbound_session_minutes": ("60", 60),
    "text_validity_minutes": ("120", 120),
    "on_doubt": ("resend", "resend"),
    "doubt_resend_minutes": ("5", 5),
    "ticket_url": ("'https://crm.foo.com/{ticket_id}'", "https://crm.foo.com/{ticket_id}"),
    "company_name": ("Foo Inc.", "Foo Inc."),
    "help_text": ('"Foo: call 628-555-0199.\\nReply STOP to stop."', "Foo: call 628-555-0199.\nReply STOP to stop."),
    "requests_per_second": ("10", 10),
    "time_zone": ("America/New_York", "America/New_York"),
    "queue_defaults": ("{lang: es, texts: {closing: Adios}}", {"lang": "es", "texts": {"closing": "Adios"}}),
    "unmapped_replies": ("silence", "silence"),
    "back_word": ("VOLVER", "VOLVER"),
    "exit_word": ("SALIR", "SALIR"),
    "chats_per_agent": ("5", 5),
    "agent_statuses": ("[Training]", ("Training",)),
    "sessionless_reply": ("Nobody reads this.", "Nobody reads this."),
    "sessionless_days": ("3", 3),
    "consent_scope": ("[{from: 2026-01-01, scope: all}]", ({"from": "2026-01-01", "scope": "all"},)),
    "carrier_opt_outs_most": ("10", 10),
    "public_url": ("https://sms.foo.com", "https://sms.foo.com"),
    "media_most_mb": ("10", 10),
    "media_hosts_allowed": ("[media.internal]", ("media.internal",)),
    "media_store": (
        "{s3: {endpoint: 'https://s3.foo.com', bucket: sms, access_key: {env: KEY}, secret_key: {env: SECRET}}}",
        {"s3": {"endpoint": "https://s3.foo.com", "bucket": "sms", "region": "us-east-1",
                "access_key": {"env": "KEY"}, "secret_key": {"env": "SECRET"}}},
    ),
    "media_link_days": ("30", 30),
    "mms_fallback": ("refuse", "refuse"),
    "default_category": ("marketing", "marketing"),
    "quiet_hours": ('{begin: "20:00", live_minutes: 30}', QuietHours(begin="20:00", live_minutes=30)),
    "passwords": ("false", False),
    "oidc": (
        "{issuer: 'https://id.foo.com', client_id: smsdesk, client_secret: {env: OIDC_SECRET}}",
        {"issuer": "https://id.foo.com", "client_id": "smsdesk", "client_secret": {"env": "OIDC_SECRET"}},
    ),
    "second_factor": ("required", "required"),
    "session_hours": ("12", 12),
    "crm": (
        "{type: tickets, base_url: 'https://crm.foo.com', token: {env: CRM_TOKEN}}",
        {"type": "tickets", "base_url": "https://crm.foo.com", "token": {"env": "CRM_TOKEN"}},
    ),
}  # fmt: skip
"""A value of each setting as a file has it, and as the server does. `default_queue` is below: a file has a path."""


def test_every_setting_has_a_reader_and_an_example() -> None:
    names = {field.name for field in fields(TenantSettings)}
    assert names == NAMES
    assert {*EXAMPLES, "default_queue"} == names


async def read_settings(db: Database) -> TenantSettings:
    async with db.connection() as conn:
        tenant_id = await find_tenant_id(conn, "acme")
        assert tenant_id is not None
        return (await read_tenant(conn, tenant_id)).settings


async def test_every_setting_reaches_the_server_and_is_as_the_file_says(db: Database) -> None:
    written = "\n".join(f"  {name}: {value}" for name, (value, _) in EXAMPLES.items())
    file = f"tenant: acme\nsettings:\n{written}\n  default_queue: Billing\nqueues: [{{name: Billing}}]"
    [planned] = await applied(db, file)
    assert planned.warnings == (
        "crm: token: the environment variable CRM_TOKEN is not set: set it before you start smsdesk",
    )
    settings = await read_settings(db)
    for name, (_, value) in EXAMPLES.items():
        assert (name, getattr(settings, name)) == (name, value)
    async with db.connection() as conn:
        assert settings.default_queue == await conn.fetchval("select queue_id from queues")
    [again] = await applied(db, file)
    assert again.is_empty


async def test_null_takes_every_setting_back(db: Database) -> None:
    written = "\n".join(f"  {name}: {value}" for name, (value, _) in EXAMPLES.items())
    await applied(db, f"tenant: acme\nsettings:\n{written}\n  default_queue: Billing\nqueues: [{{name: Billing}}]")
    await applied(db, "tenant: acme\nsettings:\n" + "\n".join(f"  {name}: null" for name in NAMES))
    assert await read_settings(db) == TenantSettings()


@pytest.mark.parametrize(
    "setting",
    [
        "sms_enabled: 1",
        "allowed_regions: []",
        "allowed_regions: [US, us]",
        "allowed_regions: US",
        "outbound_session_minutes: 0",
        "outbound_session_minutes: 1.5",
        "text_validity_minutes: 10081",
        "text_validity_minutes: 0x10",
        "on_doubt: drop",
        "doubt_resend_minutes: 0",
        "ticket_url: 'https://crm.foo.com/{ticket_id}/{agent}'",
        "ticket_url: 'javascript:{ticket_id}'",
        "help_text: ''",
        "requests_per_second: '10'",
        "time_zone: Eastern",
        "queue_defaults: []",
        "default_queue: Nowhere",
        "unmapped_replies: maybe",
        "back_word: Stop",
        "exit_word: '1'",
        "exit_word: back",
        "chats_per_agent: 0",
        "agent_statuses: [Special Task]",
        "agent_statuses: [wrap_up]",
        "agent_statuses: [Training, Training]",
        "sessionless_days: 0",
        "consent_scope: [{from: 2026-01-01}]",
        "crm: {type: paper}",
        "requests_per_second: 99999999999999999999999999",
    ],
)
async def test_a_value_out_of_its_range_is_refused(db: Database, setting: str) -> None:
    with pytest.raises(SetupError) as caught:
        await applied(db, f"tenant: acme\nsettings: {{{setting}}}")
    [fault] = caught.value.faults
    name = setting.split(":", maxsplit=1)[0]
    assert fault.place.path in (
        f"settings.{name}",
        f"settings.{name}[0]",
        f"settings.{name}[1]",
        f"settings.{name}.type",
    )
