"""Every setting that the code knows can be set in a file, with a value in its range, and reads back as its type."""

from dataclasses import fields

import pytest

from smsdesk.domain.tenant import TenantSettings
from smsdesk.setup.faults import SetupError
from smsdesk.setup.settings import SETTINGS
from smsdesk.store.db import Database
from smsdesk.store.tenants import find_tenant_id, read_tenant
from tests.setup.kit import applied

EXAMPLES = {
    "sms_enabled": "false",
    "outbound_sms_enabled": "false",
    "allowed_regions": "[de, US]",
    "when_active": "append",
    "outbound_session_minutes": "60",
    "text_validity_minutes": "120",
    "on_doubt": "resend",
    "doubt_resend_minutes": "5",
    "ticket_url": "'https://crm.foo.com/{ticket_id}'",
    "company_name": "Foo Inc.",
    "help_text": '"Foo: call 628-555-0199.\\nReply STOP to stop."',
    "requests_per_second": "10",
}


def test_every_setting_has_a_reader_and_an_example() -> None:
    names = {field.name for field in fields(TenantSettings)}
    assert set(SETTINGS) == names
    assert set(EXAMPLES) == names


async def test_every_setting_reaches_the_server(db: Database) -> None:
    await applied(db, "tenant: acme\nsettings:\n" + "\n".join(f"  {name}: {value}" for name, value in EXAMPLES.items()))
    async with db.connection() as conn:
        tenant_id = await find_tenant_id(conn, "acme")
        assert tenant_id is not None
        settings = (await read_tenant(conn, tenant_id)).settings
    assert settings == TenantSettings(
        sms_enabled=False,
        outbound_sms_enabled=False,
        allowed_regions=("DE", "US"),
        when_active="append",
        outbound_session_minutes=60,
        text_validity_minutes=120,
        on_doubt="resend",
        doubt_resend_minutes=5,
        ticket_url="https://crm.foo.com/{ticket_id}",
        company_name="Foo Inc.",
        help_text="Foo: call 628-555-0199.\nReply STOP to stop.",
        requests_per_second=10,
    )


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
        "requests_per_second: 99999999999999999999999999",
    ],
)
async def test_a_value_out_of_its_range_is_refused(db: Database, setting: str) -> None:
    with pytest.raises(SetupError) as caught:
        await applied(db, f"tenant: acme\nsettings: {{{setting}}}")
    assert [fault.place.path.partition("[")[0] for fault in caught.value.faults] == [
        f"settings.{setting.split(':', maxsplit=1)[0]}"
    ]
