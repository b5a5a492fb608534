"""What applying a set-up file would change; nothing is changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smsdesk.setup.carriers import Configs
from smsdesk.setup.crm import CrmConfigs
from smsdesk.setup.document import Document, read_documents
from smsdesk.setup.faults import Fault, SetupError
from smsdesk.setup.items import Around, read_items, tenant_of
from smsdesk.setup.passwords import settle_passwords
from smsdesk.setup.plan import TenantPlan, plan
from smsdesk.setup.references import settle
from smsdesk.setup.secrets import unresolvable
from smsdesk.setup.wanted import Wanted
from smsdesk.store.db import Connection, Database
from smsdesk.store.setup import read_state
from smsdesk.store.setup_changes import obstacles


@dataclass(frozen=True, slots=True)
class SetupFile:
    """A set-up file, and what of its surroundings its meaning depends on."""

    name: str
    """As messages call it."""
    data: bytes
    folder: Path
    """What relative paths in it start from."""
    configs: Configs
    environment: Mapping[str, str]
    crms: CrmConfigs = field(default_factory=dict)


async def plan_setup(database: Database, file: SetupFile, chance: Callable[[int], bytes]) -> list[TenantPlan]:
    """A plan for each document of the file, in its order. Raises SetupError with every mistake of the whole file."""
    plans: list[TenantPlan] = []
    faults: list[Fault] = []
    lines: dict[str, int] = {}
    documents = read_documents(file.data, file.name)
    async with database.connection() as conn:
        for document in documents:
            subdomain = tenant_of(document)
            if subdomain in lines:
                document.root.wrong(
                    f'tenant "{subdomain}" has a document in line {lines[subdomain]} already: join them'
                )
            elif subdomain is not None:
                lines[subdomain] = document.root.place.line
                wanted, planned = await _plan(conn, document, subdomain, file, chance)
                faults += wanted.faults
                plans.append(planned)
    faults += documents[0].faults
    if faults:
        raise SetupError(file.name, faults)
    return plans


async def _plan(
    conn: Connection, document: Document, subdomain: str, file: SetupFile, chance: Callable[[int], bytes]
) -> tuple[Wanted, TenantPlan]:
    current = await read_state(conn, subdomain)
    wanted = settle(current, read_items(document, Around(current, file.configs, file.folder, file.crms)))
    wanted = settle_passwords(current, wanted, file.environment, chance)
    changes = plan(current, wanted)
    named = [(f"carrier {item.name}", item.fields) for item in wanted.items if item.kind == "carrier"]
    named += [
        ("crm", item.fields["crm"]) for item in wanted.items if item.kind == "settings" and item.fields.get("crm")
    ]
    warnings = [f"{of}: {missing}" for of, config in named for missing in unresolvable(config, file.environment)]
    blocked = await obstacles(conn, current.tenant_id, changes) if current.tenant_id is not None else []
    return wanted, TenantPlan(current, tuple(changes), tuple(warnings), tuple(blocked))
