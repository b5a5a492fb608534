"""What Jasmin needs beside itself: RabbitMQ and Redis as Debian packages them, in a folder of their own."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from smsdesk.bench.compare.peers.program import Program, free_ports, listens
from smsdesk.bench.rig import START_LIMIT

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The program itself: Debian's script in /usr/sbin uses the folders of the system and another account."""
NEEDED = ("epmd", "redis-server")


def missing() -> list[str]:
    """Debian's packages that are not here."""
    found = [] if RABBITMQ.exists() and shutil.which("epmd") else ["rabbitmq-server"]
    return found + ([] if shutil.which("redis-server") else ["redis-server"])


class Broker:
    """Both servers, with the settings that their packages bring; only ports and folders are ours."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        epmd, self.amqp_port, distribution, self.redis_port = free_ports(4)
        address = {"ERL_EPMD_PORT": str(epmd), "ERL_EPMD_ADDRESS": "127.0.0.1", "HOME": str(folder)}
        # Without a name server of its own RabbitMQ starts one that stays.
        names = Program("epmd", ["epmd", "-port", str(epmd), "-address", "127.0.0.1"], folder, address)
        ends.callback(names.stop)
        names.wait_until(lambda: listens(epmd), START_LIMIT)
        redis_words = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.redis_port), "--dir", str(folder)]
        self.redis = Program("redis", redis_words, folder)
        ends.callback(self.redis.stop)
        (folder / "plugins").write_text("[].")
        (folder / "rabbitmq.conf").touch()
        self.rabbitmq = Program("rabbitmq", [str(RABBITMQ)], folder, {
            **address,
            "RABBITMQ_NODENAME": f"bench{os.getpid()}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.amqp_port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "rabbitmq.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        })  # fmt: skip
        ends.callback(self.rabbitmq.stop)
        self.redis.wait_until(lambda: listens(self.redis_port), START_LIMIT)
        self.rabbitmq.wait_until(lambda: listens(self.amqp_port), START_LIMIT)
