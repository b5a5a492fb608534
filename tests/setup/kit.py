"""A file read from beside the tests, with carriers whose Config is known here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from smsdesk.actions.apply_setup import apply_setup
from smsdesk.actions.plan_setup import SetupFile, plan_setup
from smsdesk.domain.setup import State
from smsdesk.setup.document import read_documents
from smsdesk.setup.items import Around, read_items, tenant_of
from smsdesk.setup.plan import TenantPlan
from smsdesk.setup.references import settle
from smsdesk.setup.wanted import Wanted
from smsdesk.store.db import Database

FILES = Path(__file__).parent / "files"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Line(Struct, forbid_unknown_fields=True):
    """A line with all kinds of settings."""

    host: str
    system_id: Annotated[str, Meta(min_length=1)]
    password: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 2775
    window: int | None = None


class Lab(Struct, forbid_unknown_fields=True):
    """A line that needs no settings."""

    host: str | None = None


class Tickets(Struct, forbid_unknown_fields=True):
    """A CRM."""

    base_url: str
    token: str


CONFIGS: dict[str, type[Struct]] = {"line": Line, "lab": Lab}
CRMS: dict[str, type[Struct]] = {"tickets": Tickets}


def judged(text: str, current: State, folder: Path = FILES) -> Wanted:
    """What one document wants, and its mistakes, against a state that is in no database."""
    (document,) = read_documents(text.encode(), "setup.yaml")
    assert tenant_of(document) == current.subdomain
    return settle(current, read_items(document, Around(current, CONFIGS, folder, CRMS)))


def chance(count: int) -> bytes:
    """Bytes that are no surprise."""
    return bytes(range(count))


def setup_file(text: str, environment: Mapping[str, str] | None = None, folder: Path = FILES) -> SetupFile:
    """A set-up file of that text."""
    return SetupFile("setup.yaml", text.encode(), folder, CONFIGS, environment or {}, CRMS)


async def planned(database: Database, text: str, environment: Mapping[str, str] | None = None) -> list[TenantPlan]:
    """The plans of a text."""
    return await plan_setup(database, setup_file(text, environment), chance)


async def applied(database: Database, text: str, environment: Mapping[str, str] | None = None) -> list[TenantPlan]:
    """The plans of a text, after applying them."""
    plans = await planned(database, text, environment)
    for each in plans:
        await apply_setup(database, each, NOW)
    return plans
