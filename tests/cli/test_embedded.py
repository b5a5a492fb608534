"""The commands without a database of one's own: the embedded one is made, migrated, kept, and stopped after each."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from smsdesk.postgres import State, open_cluster
from tests.kit.cluster import own_folder


def smsdesk(folder: Path, *words: str, typed: str = "") -> Any:
    """What one command, as a process of its own, prints as JSON."""
    environment = {name: value for name, value in os.environ.items() if name != "SMSDESK_DATABASE_URL"}
    command = [sys.executable, "-m", "smsdesk", *words, "--json", "--data", str(folder)]
    done = subprocess.run(
        command, check=True, input=typed, capture_output=True, text=True, timeout=120, env=environment
    )
    return json.loads(done.stdout)


def test_a_set_up_outlives_the_command_that_made_it() -> None:
    with own_folder() as folder:
        assert smsdesk(folder, "apply", "-", "--yes", typed="tenant: acme")["applied"] is True
        assert open_cluster(folder).state() is State.SILENT
        told = smsdesk(folder, "doctor")
        found = {each["check"]: each for each in told["findings"]}
        assert told["healthy"] is True
        assert [each["says"] for each in told["findings"] if each["check"] == "tenants"] == ["acme"]
        assert [found[name]["says"] for name in ("fsync", "full_page_writes", "synchronous_commit")] == ["on"] * 3
        assert found["postgresql programs"]["says"].startswith(open_cluster(folder).binaries.version)
