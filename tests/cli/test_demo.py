"""The demo, and the commands that a newcomer types beside it, as real processes."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.kit.cluster import own_folder

SMSDESK = [sys.executable, "-m", "smsdesk"]
LIMIT = 90


def smsdesk(*words: str, data: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SMSDESK_")}
    environ["SMSDESK_DATA"] = str(data)
    return subprocess.run(
        [*SMSDESK, *words], env=environ, capture_output=True, text=True, timeout=LIMIT, check=False, **more
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with own_folder() as top:
        yield top / "data"


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[dict[str, Any]]:
    """A demo in the foreground, once it has told its story."""
    environ = {**os.environ, "SMSDESK_DATA": str(folder), "COLUMNS": "100"}
    process = subprocess.Popen([*SMSDESK, "demo", "--port", "0"], env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = read_until(process.stdout, "curl -u")
        yield {"told": told, **json.loads((folder / "demo.json").read_text())}
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
    assert process.returncode == 0


def read_until(lines: IO[str], what: str) -> str:
    told = ""
    for line in lines:
        told += line
        if line.startswith(what):
            return told
    raise AssertionError(f"the demo ended: {told}")


def test_the_story_is_told_in_order(running: dict[str, Any]) -> None:
    acts = re.findall(r"─ (\d)  ([^─]+?) ─", running["told"])
    assert [number for number, _ in acts] == ["1", "2", "3", "4", "5", "6"]
    for words in (
        "lorem ipsum",
        "submit_sm 1 of 1",
        "receipt: delivered",
        "queued in Support/Orders",
        "John Doe answers",
    ):
        assert words in running["told"], words


def test_its_keys_are_for_its_owner(running: dict[str, Any], folder: Path) -> None:
    assert stat.S_IMODE((folder / "demo.json").stat().st_mode) == 0o600
    assert (running["subdomain"], running["outbound_number"]) == ("acme", "+16285550199")
    people = [agent["email"] for agent in running["agents"]]
    assert people == ["john.doe@foo.com", "second@foo.com", "supervisor@foo.com", "administrator@foo.com"]
    assert {frozenset(agent) for agent in running["agents"]} == {frozenset(("id", "email", "password"))}


def test_the_desk_lets_its_people_in(running: dict[str, Any]) -> None:
    person, url = running["agents"][0], f"{running['base_url']}/desk/sign-in"
    assert f"{url}?workspace=acme" in running["told"]
    form = urlencode({"workspace": "acme", "email": person["email"], "password": person["password"]})
    headers = {"Origin": running["base_url"], "Content-Type": "application/x-www-form-urlencoded"}
    with closing(HTTPConnection(urlsplit(running["base_url"]).netloc, timeout=LIMIT)) as http:
        http.request("POST", "/desk/sign-in", form, headers)
        answer = http.getresponse()
        assert (answer.status, answer.getheader("location")) == (303, "/desk"), answer.read()
    assert person["password"] in running["told"]


def test_conform_says_16_of_16(running: dict[str, Any], folder: Path) -> None:
    done = smsdesk("conform", running["base_url"], "-u", f"acme:{running['token']}", data=folder)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "16 of 16 passed"), done.stdout + done.stderr


def test_send_and_explain(running: dict[str, Any], folder: Path) -> None:
    told = smsdesk("explain", "--to", "+1 415-555-0133", "It’s ready", data=folder)
    assert told.returncode == 0
    for words in ("would be sent", "new", "ucs2", "RIGHT SINGLE QUOTATION MARK", "write '"):
        assert words.lower() in told.stdout.lower(), told.stdout
    sent = smsdesk("send", "--to", "+1 415-555-0133", "It is ready", data=folder)
    assert (sent.returncode, sent.stdout[:14]) == (0, "accepted: chat"), sent.stderr
    again = smsdesk("send", "--to", "+1 415-555-0133", "It is ready", data=folder)
    assert (again.returncode, again.stderr.startswith("error: 400 Outbound SMS failed.")) == (1, True)
    told = smsdesk("explain", "--to", "+1 415-555-0133", "More", "--json", data=folder)
    assert (told.returncode, json.loads(told.stdout)["reason"]) == (1, "active_session")


def test_a_second_demo_on_the_same_folder_tells_it_again(running: dict[str, Any], folder: Path) -> None:
    """Its chat is still open from the first time, which must not be in the way."""
    done = smsdesk("demo", "--once", "--json", data=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "demo.json").read_text())["token"] == running["token"]
    told = json.loads(done.stdout)
    assert told["answer"]["status"] == "selecting"
    assert [text["body"] for text in told["handset"]] == ["lorem ipsum", "Yes, until 6 pm. John Doe, Acme"]
    assert told["reply"]["sender"] == "end_user"
    assert (told["chat"]["status"], told["chat"]["menu_path"]["name"]) == ("ongoing", "Support/Orders")


def test_what_is_not_there_is_said_in_one_line(folder: Path, tmp_path: Path) -> None:
    for words in (["send", "--to", "+14155550100", "hi"], ["conform", "http://127.0.0.1:9"]):
        done = smsdesk(*words, data=tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr
    gone = smsdesk(
        "send", "--url", "http://127.0.0.1:9", "-u", "acme:x", "--to", "1", "--from", "2", "hi", data=tmp_path
    )
    assert (gone.returncode, "gave no answer" in gone.stderr) == (1, True)
