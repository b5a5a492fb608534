"""What every change of a plan is written with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Scope:
    """What every change of one plan is written with."""

    conn: Connection
    tenant_id: int
    now: datetime
    queues: dict[str, int]
    """The id of every queue by its path; grows with the queues that the plan makes."""

    async def run(self, statement: str, *values: object) -> None:
        await self.conn.execute(statement, self.tenant_id, *values)

    async def value(self, statement: str, *values: object) -> Any:
        return await self.conn.fetchval(statement, self.tenant_id, *values)

    async def update(self, table: str, key: str, of: object, columns: Mapping[str, Any]) -> None:
        """Sets columns of one row. Table and columns are named by this file, never by a user."""
        if columns:
            sets = ", ".join(f"{name} = ${index}" for index, name in enumerate(columns, 3))
            statement = f"update {table} set {sets} where tenant_id = $1 and {key} = $2"
            await self.run(statement, of, *columns.values())
