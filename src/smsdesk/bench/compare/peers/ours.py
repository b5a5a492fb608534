"""smsdesk itself, behind the interface that the others have."""

from collections.abc import Sequence
from importlib.metadata import version

from smsdesk.bench.compare.peers.peer import Place
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import OURS, TENANT, Child, rig, run

_DOUBTFUL = """
select count(*) from texts t join messages m on m.tenant_id = t.tenant_id and m.message_id = t.message_id
join chats c on c.tenant_id = m.tenant_id and c.chat_id = m.chat_id
join end_users e on e.tenant_id = c.tenant_id and e.end_user_id = c.end_user_id
where t.state = 'doubtful' and e.number = any($1)
"""


class Smsdesk:
    """`smsdesk serve` as an API process and a worker process, on an embedded PostgreSQL with full durability."""

    name = "smsdesk"
    most_texts = 1_000_000
    quiet = 15.0
    """A worker counts as dead after 10 seconds, and another settles what it left (ADR 0009)."""
    chunked = False

    def version(self) -> str:
        """Of the package."""
        return version("smsdesk")

    def start(self, place: Place) -> "SmsdeskRunning":
        """Starts all three."""
        return SmsdeskRunning(place)


class SmsdeskRunning:
    """The API, the worker and their PostgreSQL."""

    def __init__(self, place: Place) -> None:
        self._lab = place.lab
        self._rig = place.ends.enter_context(rig())
        self._rig.lab_smpp_port, self._rig.lab_http_port = place.lab.smpp_port, place.lab.http_port
        self.port = 0
        self._api: Child
        self._worker: Child
        self.restart()
        self._requests = SendRequests("127.0.0.1", (TENANT, self._rig.token), OURS)

    def request(self, n: int) -> bytes:
        """A POST of the API."""
        return self._requests(n)

    def roots(self) -> dict[str, int]:
        """PostgreSQL with all of its processes."""
        return {"api": self._api.pid, "worker": self._worker.pid, "PostgreSQL": self._rig.postmaster}

    def hold(self) -> None:
        """The worker runs, and has no line."""
        self._lab.away()

    def release(self) -> None:
        """The worker connects again by itself."""
        self._lab.back()

    def kill(self) -> None:
        """The API and the worker: the first accepts, the second sends."""
        self._api.kill()
        self._worker.kill()

    def restart(self) -> None:
        """`smsdesk serve` again; nothing else is needed."""
        self._worker = self._rig.worker()
        self._api, self.port = self._rig.api()

    def held(self, numbers: Sequence[str]) -> int:
        """Those that `smsdesk texts doubtful` lists."""
        return int(run(self._rig.rows(_DOUBTFUL, list(numbers)))[0][0])
