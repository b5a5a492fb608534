"""The embedded database: PostgreSQL's own programs under our supervisor, in one data folder.

Here is what finds the programs, makes a cluster, starts, checks and stops its server, and shares it between processes.
Not here: SQL of the application, migrations, pools. Whoever is given SMSDESK_DATABASE_URL never comes here.
"""

from smsdesk.postgres.binaries import Binaries, find_binaries
from smsdesk.postgres.cluster import Cluster, State, open_cluster
from smsdesk.postgres.errors import PostgresError
from smsdesk.postgres.use import use_cluster

__all__ = ["Binaries", "Cluster", "PostgresError", "State", "find_binaries", "open_cluster", "use_cluster"]
