"""Shows the API tokens of a tenant, without the tokens."""

from smsdesk.store.credentials import CredentialRow, list_credentials
from smsdesk.store.db import Database
from smsdesk.store.tenants import require_tenant_id


async def list_tokens(database: Database, subdomain: str) -> list[CredentialRow]:
    """The credentials by name: when they were made, renewed, disabled. Raises Problem where the tenant is unknown."""
    async with database.connection() as conn:
        return await list_credentials(conn, await require_tenant_id(conn, subdomain))
