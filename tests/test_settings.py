"""The environment is read once, and refused loudly where it makes no sense."""

from pathlib import Path

import pytest

from smsdesk.settings import Settings, SettingsError, read_settings


def test_nothing_set_is_the_default() -> None:
    assert read_settings({}) == Settings()


def test_values_and_files(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://db/x\n")
    found = read_settings(
        {"SMSDESK_DATABASE_URL_FILE": str(secret), "SMSDESK_POOL": "3", "SMSDESK_DOMAIN": "a.example"}
    )
    assert (found.database_url, found.pool, found.domain) == ("postgresql://db/x", 3, "a.example")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"SMSDESK_POOL": "many"}, "SMSDESK_POOL is 'many': it must be a whole number"),
        ({"SMSDESK_POOL": "0"}, "whole number from 1 to 1,000"),
        ({"SMSDESK_POOL": "99999999"}, "whole number from 1 to 1,000"),
        ({"SMSDESK_DOMAIN_FILE": "/nowhere"}, "SMSDESK_DOMAIN_FILE names /nowhere, which cannot be read"),
        ({"SMSDESK_DOMAIN_FILE": "/x", "SMSDESK_DOMAIN": "y"}, "both set: remove one"),
        ({"SMSDESK_LOG_LEVEL": "loud"}, "SMSDESK_LOG_LEVEL is 'loud': use one of debug, info, warning, error"),
    ],
)
def test_what_makes_no_sense_is_named(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_settings(environ)
