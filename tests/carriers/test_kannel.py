"""Kannel: what its smsbox is asked and says, alone and with Debian's real one between us and the lab's handsets."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from smsdesk.carriers.contract import Accepted, CallbackRequest, Forged, Receipt, Refused, Reply, Unreadable
from smsdesk.carriers.kannel import Kannel
from tests.carriers.http.kit import (
    NOW,
    OURS,
    PHONE,
    SECRET,
    Answer,
    Incoming,
    Outgoing,
    check_incoming,
    check_outgoing,
    line,
    outbound,
    settings,
)  # fmt: skip
from tests.kit.lab import Handsets, handsets_of
from tests.kit.processes import free_port, until
from tests.lab.process import LabProcess

TAKEN = Answer(202, "0: Accepted for delivery")
HEADERS = {
    "X-Kannel-Username": "desk", "X-Kannel-Password": SECRET, "X-Kannel-From": OURS, "X-Kannel-To": PHONE,
    "X-Kannel-Coding": "0", "Content-Type": "text/plain; charset=UTF-8",
}  # fmt: skip

OUTGOING = [
    Outgoing("taken", outbound(), TAKEN, Accepted(("7-1",)), headers=HEADERS),
    Outgoing("kept", outbound(), Answer(202, "3: Queued for later delivery"), Accepted(("7-1",))),
    Outgoing("taken unseen", outbound(), Answer(202, "Sent. Message splits: 3"), Accepted(("7-1",))),
    Outgoing("three parts", outbound(body="x" * 307), TAKEN, Accepted(("7-1",) * 3)),
    Outgoing("any letter", outbound(body="Ж 😀"), TAKEN, Accepted(("7-1",)), headers={"X-Kannel-Coding": "2"}),
    Outgoing("no way", outbound(), Answer(403, "Not routable. Do not try again."), Refused("blocked", "Not routable")),
    Outgoing("no login", outbound(), Answer(403, "Authorization failed for sendsms"),
             Refused("carrier_error", "Authorization failed", 60.0)),
    Outgoing("no sender", outbound(), Answer(400, "Sender missing and no global set, rejected"),
             Refused("bad_sender", "Sender missing")),
    Outgoing("no receiver", outbound(), Answer(400, "Empty receiver number not allowed, rejected"),
             Refused("unknown_number", "receiver number")),
    Outgoing("another no", outbound(), Answer(400, "Charset or body misformed, rejected"),
             Refused("unknown_error", "http 400")),
]  # fmt: skip


@pytest.mark.parametrize("case", OUTGOING, ids=lambda case: case.name)
async def test_outgoing(case: Outgoing) -> None:
    await check_outgoing("kannel", case, username="desk")


ADDRESS = "https://desk.example.com/callbacks/a%20b/upstream"


def posted(query: str, body: bytes = b"", method: str = "POST") -> CallbackRequest:
    return CallbackRequest(method, "", query, {"content-type": 'text/plain; charset="UTF-8"'}, body)


def report(state: str, more: str = "", text: int = 65543) -> CallbackRequest:
    """What the smsbox asks when it has put its values into the address that it was given."""
    kannel = Kannel(settings("kannel", callback_url=ADDRESS, report_words=True))
    given = kannel.request(outbound(text), NOW).headers["X-Kannel-DLR-Url"]
    address, _, query = given.replace("%%", "\0").partition("?")
    assert address.replace("\0", "%") == ADDRESS
    query = query.replace("%d", state).replace("%p", "%2B14155550100").replace("%#smpp#dlr_err#", "%03%00%12")
    return posted(query.replace("%A", more), method="GET")


def receipt(state: str, reason: str | None, code: str, name: str = "65543-1") -> Receipt:
    return Receipt(name, state, reason, code, PHONE, 7, whole=True)


SERVICE = f"secret={SECRET}&from=%2B14155550100&to=16285550199&id=a-b&charset="
REPLY = Reply(PHONE, OURS, "hi €", "a-b", "http")
HI = "hi €".encode()
STAT = "id%3A1+stat%3AREJECTD+err%3A012+text%3Ahello"

INCOMING = [
    Incoming("at the SMSC", report("8", "ACK%2F"), (receipt("sent", None, "dlr 8 err:0012"),)),
    Incoming("delivered", report("1"), (receipt("delivered", None, "dlr 1 err:0012"),)),
    Incoming("undelivered", report("2"), (receipt("undelivered", "unknown_error", "dlr 2 err:0012"),)),
    Incoming("rejected", report("2", STAT), (receipt("undelivered", "blocked", "dlr 2 err:0012 stat:REJECTD"),)),
    Incoming("expired", report("34"), (receipt("expired", "unreachable", "dlr 34 err:0012"),)),
    Incoming("refused", report("16"), (receipt("failed", "unknown_error", "dlr 16 err:0012"),)),
    Incoming("refused in words", report("16", "NACK%2F0x0000000b%2FInvalid"),
             (receipt("failed", "unknown_number", "dlr 16 err:0012 ESME_RINVDSTADR (0x0000000B)"),)),
    Incoming("a state of tomorrow", report("64"), (receipt("sent", None, "dlr 64 err:0012"),)),
    Incoming("another text's proof", replace(report("1"), query=report("1").query.replace("65543", "7")), Forged),
    Incoming("a text", posted(SERVICE + "UTF-8", HI), (REPLY,)),
    Incoming("in UCS-2", posted(SERVICE + "UTF-16BE", "Ж 😀".encode("utf-16-be")),
             (replace(REPLY, body="Ж 😀", encoding="ucs2"),)),
    Incoming("octets", posted(SERVICE + "8-BIT", b"\xe9"), (replace(REPLY, body="é"),)),
    Incoming("nobody", posted("from=1&to=2", HI), Forged),
    Incoming("another secret", posted(SERVICE.replace(SECRET, "guess"), HI), Forged),
    Incoming("an empty secret", posted("secret=&from=1&to=2", HI), Forged),
    Incoming("an empty proof", posted("proof=&text=1&attempt=1"), Forged),
    Incoming("a service without numbers", posted(f"secret={SECRET}", HI), Unreadable),
    Incoming("a service by get-url", posted(SERVICE, method="GET"), Unreadable),
]  # fmt: skip


@pytest.mark.parametrize("case", INCOMING, ids=lambda case: case.name)
def test_incoming(case: Incoming) -> None:
    said = check_incoming("kannel", settings("kannel", callback_url=ADDRESS), case)
    if said is not None:
        assert said.status == 200, "Kannel repeats what is answered with anything but 200 and 202"
    new = settings("kannel", callback_url=ADDRESS, callback_secret="new", previous_callback_secret=SECRET)
    check_incoming("kannel", new, case)
    if case.facts is not Unreadable:
        gone = settings("kannel", callback_url=ADDRESS, callback_secret="new")
        check_incoming("kannel", gone, replace(case, facts=Forged))


# The real one.

CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = {secret}
smsbox-port = {box}

group = smsc
smsc = smpp
smsc-id = lab
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = desk
smsc-password = {secret}
system-type = ""
address-range = ""
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = desk
password = {secret}
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = yes
max-messages = 0
post-url = "{desk}?secret={secret}&from=%p&to=%P&id=%I&charset=%C"
"""


class Desk(ThreadingHTTPServer):
    """Where Kannel posts to: keeps what was asked; the first try of each is turned away."""

    def __init__(self) -> None:
        self.asked: list[CallbackRequest] = []
        self.turned_away: set[tuple[str, bytes]] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/callbacks/acme/kannel"


class _Handler(BaseHTTPRequestHandler):
    server: Desk

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        again = (self.path, body) in self.server.turned_away
        if again:
            self.server.asked.append(CallbackRequest(self.command, "", self.path.partition("?")[2], headers, body))
        self.server.turned_away.add((self.path, body))
        self.send_response(200 if again else 503)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - http.server looks for this name

    def log_message(self, *_: Any) -> None:
        return


@dataclass(frozen=True)
class Gateway:
    """A Kannel that runs, between a lab and a desk."""

    base_url: str
    lab: LabProcess
    desk: Desk = field(repr=False)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    if not shutil.which("bearerbox") or not shutil.which("smsbox"):
        pytest.skip("needs Kannel: apt-get install kannel")
    with ExitStack() as ends:
        lab = ends.enter_context(LabProcess())
        desk = ends.enter_context(Desk())
        Thread(target=desk.serve_forever, args=(0.05,), daemon=True).start()
        ends.callback(desk.shutdown)
        ports = {name: free_port() for name in ("admin", "box", "sendsms")}
        file = tmp_path_factory.mktemp("kannel") / "kannel.conf"
        file.write_text(CONFIGURATION.format(**ports, smpp=lab.smpp_port, desk=desk.address, secret=SECRET))
        for box, port in (("bearerbox", ports["box"]), ("smsbox", ports["sendsms"])):
            _start(box, file, ends)
            asyncio.run(_listening(port, box))
        yield Gateway(f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms", lab, desk)


def _start(box: str, file: Path, ends: ExitStack) -> None:
    process = subprocess.Popen(
        [box, "-v", "4", str(file)], cwd=file.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ends.callback(process.wait, 10)
    ends.callback(process.kill)


async def _listening(port: int, what: str) -> None:
    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await until(answers, 20, f"{what} listens")


@pytest.fixture
async def handsets(gateway: Gateway) -> AsyncIterator[Handsets]:
    async with handsets_of(gateway.lab) as handsets:

        async def bound() -> int:
            return await handsets.lines()

        await until(bound, 20, "Kannel is bound to the lab")
        yield handsets


async def test_texts_and_their_reports_go_through_kannel(gateway: Gateway, handsets: Handsets) -> None:
    texts = {
        101: ("hello [€] ñ", 1, "delivered", None),
        102: ("Ж 😀", 1, "delivered", None),
        103: ("x" * 307, 3, "delivered", None),
        104: ("#undeliv:012", 1, "undelivered", "unreachable"),
        105: ("#expired", 1, "expired", "unreachable"),
        106: ("#refuse:0x0B", 1, "failed", "unknown_number"),
    }
    more: dict[str, Any] = {"username": "desk", "callback_url": gateway.desk.address, "report_words": True}
    async with line("kannel", gateway.base_url, **more) as running:
        running.carrier.send([outbound(text_id, body) for text_id, (body, *_) in texts.items()])
        for text_id, (_, parts, *_) in texts.items():
            assert await running.ledger.outcome_of(text_id) == Accepted((f"{text_id}-1",) * parts)
    config = settings("kannel", **more)

    async def reported() -> dict[str, Receipt] | None:
        facts = [fact for request in list(gateway.desk.asked) for fact in _facts(config, request)]
        last = {fact.part_id: fact for fact in facts if isinstance(fact, Receipt) and fact.state != "sent"}
        return last if len(last) == len(texts) else None

    last = await until(reported, 20, "the reports")
    told = [last[f"{text_id}-1"] for text_id in texts]
    assert [(one.state, one.reason) for one in told] == [(state, reason) for *_, state, reason in texts.values()]
    assert [(one.number, one.reference) for one in told] == [(PHONE, text_id) for text_id in texts]
    arrived = {text["body"]: text["parts"] for text in await handsets.texts(PHONE)}
    assert arrived == {body: parts for body, parts, state, _ in texts.values() if state == "delivered"}


def _facts(config: Any, request: CallbackRequest) -> tuple[Receipt | Reply, ...]:
    return Kannel(config).callback(request, NOW).facts


async def test_replies_come_through_kannel_once_they_are_taken(gateway: Gateway, handsets: Handsets) -> None:
    config, bodies = settings("kannel"), ["hi [€] ñ", "Ж 😀", "y" * 200]
    for body in bodies:
        await handsets.reply(PHONE, body)

    async def arrived() -> list[Reply]:
        facts = [fact for request in list(gateway.desk.asked) for fact in _facts(config, request)]
        replies = [fact for fact in facts if isinstance(fact, Reply)]
        return replies if len(replies) == len(bodies) else []

    replies = await until(arrived, 20, "the replies")
    assert sorted(reply.body for reply in replies) == sorted(bodies)
    assert {(reply.source, reply.destination) for reply in replies} == {(PHONE, OURS)}
    assert len({reply.carrier_reference for reply in replies}) == 3, "Kannel's names: a repetition is known by them"
    assert await handsets.texts(PHONE) == [], "nothing is answered in our name"


@pytest.mark.parametrize(
    "more", [{"user_password": "guess"}, {"username": "nobody"}], ids=lambda more: next(iter(more))
)
async def test_a_login_that_kannel_does_not_know(gateway: Gateway, more: dict[str, str]) -> None:
    async with line("kannel", gateway.base_url, **({"username": "desk"} | more)) as running:
        running.carrier.send([outbound(201)])
        assert await running.ledger.outcome_of(201) == Refused("carrier_error", "Authorization failed", 60.0)


async def test_a_number_that_is_none_is_refused(gateway: Gateway) -> None:
    async with line("kannel", gateway.base_url, username="desk") as running:
        running.carrier.send([outbound(202, destination="+1abc")])
        assert await running.ledger.outcome_of(202) == Refused("blocked", "denied by white- and/or black-lists")
