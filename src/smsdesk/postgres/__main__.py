"""Runs a program beside a data folder's database: `python -m smsdesk.postgres DIR psql`, pg_dump, pg_restore."""

import os
import subprocess
import sys
from pathlib import Path

from smsdesk.postgres.cluster import DATABASE, ROLE, open_cluster
from smsdesk.postgres.errors import PostgresError
from smsdesk.postgres.use import use_cluster


def main(arguments: list[str]) -> int:
    """Starts the database if it does not run, gives the program libpq's variables, and returns its exit status."""
    if len(arguments) < 2:
        sys.exit("usage: python -m smsdesk.postgres DIR PROGRAM [ARGUMENT ...]   (DIR is the data folder)")
    folder, *command = arguments
    try:
        with use_cluster(Path(folder)):
            cluster = open_cluster(Path(folder))
            libpq = {
                "PATH": f"{cluster.binaries.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                "PGHOST": str(cluster.socket_directory),
                "PGPORT": str(cluster.port),
                "PGUSER": ROLE,
                "PGDATABASE": DATABASE,
                "PGPASSWORD": cluster.password.read_text(),
            }
            return subprocess.run(command, env=os.environ | libpq, check=False).returncode
    except (PostgresError, FileNotFoundError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
