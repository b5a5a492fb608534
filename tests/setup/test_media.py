"""What is wrong with a setting of files is said at its place."""

import pytest

from smsdesk.setup.faults import SetupError
from smsdesk.store.db import Database
from tests.setup.kit import applied

S3 = "endpoint: https://s3.example.com, bucket: files, access_key: {env: A}, secret_key: {env: B}"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("public_url: https://sms.foo.com/desk", "without a path"),
        ("public_url: sms.foo.com", "must be https://"),
        ("media_most_mb: 0", "1"),
        ("media_most_mb: 101", "100"),
        ("media_hosts_allowed: ['http://10.0.0.5']", "is no host"),
        ("media_hosts_allowed: 10.0.0.5", "must be a list"),
        ("media_store: {}", "names no store"),
        ("media_store: {s3: {bucket: files}}", "s3 needs endpoint, access_key, secret_key"),
        (f"media_store: {{s3: {{{S3}, path: x}}}}", 'there is no key "path"'),
        (f"media_store: {{s3: {{{S3.replace('{env: B}', 'hush')}}}}}", "a secret does not belong into this file"),
        (f"media_store: {{s3: {{{S3.replace('{env: B}', '{file: key}')}}}}}", "must be the whole path"),
        (f"media_store: {{s3: {{{S3.replace('bucket: files', 'bucket: F')}}}}}", "is no name of a bucket"),
        ("media_link_days: 366", "365"),
        ("mms_fallback: drop", "refuse"),
    ],
)
async def test_a_wrong_setting_is_refused(db: Database, setting: str, says: str) -> None:
    with pytest.raises(SetupError) as refused:
        await applied(db, f"tenant: acme\nsettings:\n  {setting}\n")
    assert any(says in fault.says for fault in refused.value.faults)
