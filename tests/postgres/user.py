"""A process that uses a cluster: prints the DSN, stays until its input ends, leaves."""

import sys
from pathlib import Path

from smsdesk.postgres import PostgresError, use_cluster

try:
    with use_cluster(Path(sys.argv[1]), keep="keep" in sys.argv) as dsn:
        print(dsn, flush=True)
        sys.stdin.read()
except PostgresError as error:
    sys.exit(str(error))
