"""Shows the API tokens of a tenant, without the tokens."""

from smsdesk.steps.rights import require_right
from smsdesk.store.credentials import CredentialRow, list_credentials
from smsdesk.store.db import Database
from smsdesk.store.tenants import require_tenant_id


async def list_tokens(database: Database, subdomain: str, agent_id: int | None = None) -> list[CredentialRow]:
    """The credentials by name: when they were made, renewed, disabled. `agent_id` is the person at the desk who looks;
    None is somebody at the machine. Raises Problem where the tenant is unknown, or the person may not administer."""
    async with database.connection() as conn:
        tenant_id = await require_tenant_id(conn, subdomain)
        if agent_id is not None:
            await require_right(conn, tenant_id, agent_id, "administer")
        return await list_credentials(conn, tenant_id)
