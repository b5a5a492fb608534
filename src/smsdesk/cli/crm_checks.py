"""The checks of `smsdesk doctor` about tenants' CRMs."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from smsdesk.cli.checks import Finding
from smsdesk.setup.secrets import unresolvable
from smsdesk.store.crm_backlog import Backlog, read_backlogs
from smsdesk.store.db import Connection

LONG = 900.0
"""Seconds that a job may wait before a doctor says so."""


async def check_crms(conn: Connection, environment: Mapping[str, str], now: datetime) -> list[Finding]:
    """Whether each CRM's secrets are here, what it would not do, and whether anything has waited for long."""
    backlogs = await read_backlogs(conn)
    return [finding for backlog in backlogs for finding in _crm(backlog, environment, now)]


def _crm(backlog: Backlog, environment: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    name = f"crm {backlog.subdomain}"
    missing = unresolvable(backlog.config, environment)
    for each in missing:
        yield Finding(name, "broken", "a secret is not here", each)
    if backlog.failed:
        says = f"{backlog.failed:,} jobs failed: {backlog.failed_because}"
        yield Finding(name, "warning", says, "mend it, then POST /apps/api/v1/tickets/jobs/retry")
    waited = (now - backlog.oldest).total_seconds() if backlog.oldest else 0.0
    if waited > LONG:
        why = backlog.waits_because or "not tried yet"
        says = f"{backlog.queued:,} jobs wait, the oldest for {waited / 3600:.1f} h: {why}"
        yield Finding(name, "warning", says, "is a worker running, and does the CRM answer?")
    if not missing and not backlog.failed and waited <= LONG:
        yield Finding(name, "ok", f"{backlog.config['type']}, {backlog.queued:,} jobs wait")
