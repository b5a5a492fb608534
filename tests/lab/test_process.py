"""`python -m smsdesk.lab`."""

import os
import subprocess
import sys

import httpx
import pytest

from lab.process import LabProcess


def test_it_tells_its_ports_and_ends_when_asked() -> None:
    with LabProcess() as lab:
        assert httpx.get(f"http://127.0.0.1:{lab.http_port}/stats").json()["submitted"] == 0
        with lab.line() as line:
            assert lab.stop() == (0, b"")
            assert line.recv(100) == b""


@pytest.mark.parametrize("port", ["smpp", "http"])
def test_a_port_that_is_taken_is_one_line_and_no_traceback(port: str) -> None:
    with LabProcess() as lab:
        taken = lab.smpp_port if port == "smpp" else lab.http_port
        ports = {"--smpp-port": "0", "--http-port": "0"} | {f"--{port}-port": str(taken)}
        options = [word for pair in ports.items() for word in pair]
        second = subprocess.run(
            [sys.executable, "-m", "smsdesk.lab", *options], capture_output=True, text=True, timeout=30, check=False
        )
    assert second.returncode == 1
    assert second.stderr.startswith("The lab cannot start: ")
    assert second.stderr.count("\n") == 1


def test_a_system_id_needs_a_password() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SMSDESK_LAB_PASSWORD"}
    lab = subprocess.run(
        [sys.executable, "-m", "smsdesk.lab", "--system-id", "acme"],
        capture_output=True, text=True, timeout=30, check=False, env=environment,
    )  # fmt: skip
    assert lab.returncode == 1
    assert "set SMSDESK_LAB_PASSWORD" in lab.stderr
