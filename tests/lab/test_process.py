"""`python -m smsdesk.lab`."""

import os
import subprocess
import sys

import httpx
import pytest

from lab.process import LabProcess
from smsdesk.lab.__main__ import main


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


def test_faults_dialect_and_profile_by_flags() -> None:
    flags = ["--fault", "lose_answer=0.05", "--fault", "throttle_above=7", "--dialect", "receipt_ids=decimal"]
    day = ["--profile", "bad_day", "--profile-number", "vanish=0", "--smpp-tls-port", "0", "--seed", "7"]
    with LabProcess(*flags, *day) as lab, httpx.Client(base_url=f"http://127.0.0.1:{lab.http_port}") as http:
        faults, dialect, profile = (http.get(path).json() for path in ("/faults", "/dialect", "/profile"))
        assert (faults["lose_answer"], faults["throttle_above"], faults["drop"]) == (0.05, 7, 0)
        assert (dialect["receipt_ids"], dialect["answer_ids"]) == ("decimal", "hex")
        assert (profile["name"], profile["vanish"]) == ("custom", 0)
        assert (profile["undeliver"], profile["throttle_above"]) == (0.08, 50)
        assert http.get("/certificate").text.startswith("-----BEGIN CERTIFICATE-----")


WRONG = [
    (["--fault", "lose=1"], "there is no 'lose': choose among lose_answer, "),
    (["--fault", "hang"], "'hang' is not written name=value"),
    (["--fault", "drop=2"], "Expected `float` <= 1.0 - at `$.drop`"),
    (["--dialect", "dates=weeks"], "Invalid enum value 'weeks' - at `$.dates`"),
    (["--profile-number", "speed=2"], "a profile has no 'speed': choose among answer_median, "),
]


@pytest.mark.parametrize(("flags", "message"), WRONG, ids=[case[0][1] for case in WRONG])
def test_a_flag_that_makes_no_sense_is_one_line(
    capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert main(flags) == 1
    said = capsys.readouterr().err
    assert said.startswith("The lab cannot start: ")
    assert message in said
    assert said.count("\n") == 1


def test_the_command_says_it_as_well() -> None:
    command = [sys.executable, "-m", "smsdesk", "lab", "--fault", "hang"]
    lab = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (lab.returncode, lab.stderr) == (1, "error: 'hang' is not written name=value\n")


def test_the_command_says_where_it_listens() -> None:
    ports = ["--smpp-port", "0", "--http-port", "0", "--smpp-tls-port", "0"]
    command = [sys.executable, "-m", "smsdesk", "lab", *ports, "--fault", "hang=true"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as lab:
        try:
            assert lab.stdout is not None
            ready = lab.stdout.readline().split()
            assert [address.split(":")[0] for address in ready] == ["ready", "smpp", "http", "smpps"]
            assert httpx.get(f"{ready[2]}faults").json()["hang"] is True
        finally:
            lab.terminate()
