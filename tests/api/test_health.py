"""What a client and a load balancer see of a database that is there and takes no connections."""

import asyncpg

from tests.kit.api import Api


async def test_a_database_that_takes_no_connections_is_away(api: Api, cluster_dsn: str) -> None:
    name = await api.db.fetchval("select current_database()")
    server = await asyncpg.connect(cluster_dsn)
    await server.execute(f'alter database "{name}" allow_connections false')
    await api.db.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    health = await api.call("GET", "/health")
    assert (health.status, health.json["ok"]) == (503, False)
    for answer in (await api.send(), await api.call("GET", "/apps/api/v1/chats")):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    await server.execute(f'alter database "{name}" allow_connections true')
    await server.close()
    assert (await api.call("GET", "/health")).json == {"ok": True, "database": "ok", "tenants": 2}
    assert (await api.send()).status == 200
