"""Kannel as Debian packages it, and smpplib, against our lab: the cases of `cases` over real processes and real TCP."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.lab.process import LabProcess
from tests.peers import kannel
from tests.peers.cases import (
    LINES,
    NUMBER,
    REFUSALS,
    REPORTS,
    TEXTS_IN,
    TEXTS_OUT,
    Line,
    Refusal,
    Report,
    TextIn,
    TextOut,
)
from tests.peers.esmes import ForeignEsme, Got, LabSide, Listener, soon
from tests.peers.smpplib_esme import SmpplibEsme

_phones = (f"+1415555{number:04}" for number in count(1000))

CANNOT = {
    ("smpplib", "the whole GSM alphabet"): "its table lacks the section sign, so the text goes as UCS-2",
    ("smpplib", "nothing but enquire_link for a while"): "it asks where nothing comes at all, and the lab asks first",
    ("smpplib", "long, message_payload"): "it reads no message_payload over 260 octets",
}
"""What a peer cannot say, by its name and the case's, and why."""

WORDS = {"DELIVRD": "hello", "UNDELIV": "#undeliv:012", "EXPIRED": "#expired", "REJECTD": "#rejected"}
"""What asks the lab for an end state."""


@pytest.fixture(scope="module")
def process() -> Iterator[LabProcess]:
    with LabProcess("--enquire-link-interval", "0.5") as process:
        yield process


@pytest.fixture(scope="module", params=["Kannel", "smpplib"])
def esme(request: pytest.FixtureRequest, process: LabProcess, tmp_path_factory: Any) -> Iterator[ForeignEsme]:
    """The peer, bound to the lab as itself by a transceiver and as `pair` by two lines."""
    if request.param == "smpplib":
        with SmpplibEsme(process.smpp_port).running() as esme:
            yield esme
        return
    if not kannel.installed():
        pytest.skip("Kannel is not installed: apt-get install kannel")
    folder: Path = tmp_path_factory.mktemp("kannel")
    with Listener().listening() as listener, kannel.running(folder, process.smpp_port, listener) as esme:
        yield esme


@pytest.fixture
def lab(process: LabProcess, esme: ForeignEsme) -> Iterator[LabSide]:
    """The lab's side, with all lines of the peer up and no fault."""
    lab = LabSide(process)
    lab.put("/faults")
    lab.put("/dialect")
    up(lab, esme)
    yield lab
    lab.close()


def up(lab: LabSide, esme: ForeignEsme) -> None:
    soon(lambda: len(lab.lines(esme.name.lower())) == 1 and len(lab.lines("pair")) == 2, "all lines are bound")


@pytest.fixture(autouse=True)
def _expressible(request: pytest.FixtureRequest) -> None:
    call = getattr(request.node, "callspec", None)
    peer, case = call.params["esme"], call.params["case"]
    if reason := CANNOT.get((peer, case.name)):
        pytest.skip(f"{peer}: {reason}")


def named(case: Any) -> str:
    return str(case.name)


def after(esme: ForeignEsme, known: int) -> list[Got]:
    """The texts from phones that came since."""
    return soon(lambda: esme.texts()[known:], "the peer has the reply")


@pytest.mark.parametrize("case", TEXTS_OUT, ids=named)
def test_text_out(lab: LabSide, esme: ForeignEsme, case: TextOut) -> None:
    to, kind = next(_phones), "flash" if case.flash else case.encoding
    esme.send(case.body, to, case.source, kind=kind)
    [text] = lab.arrived(to)
    assert (text["body"], text["parts"], text["encoding"], text["source"]) == (
        case.body, case.parts, case.encoding, case.source,
    )  # fmt: skip
    assert text["submits"] == [1] * case.parts
    assert bool(text["data_coding"] & 0xF0) == case.flash


@pytest.mark.parametrize("case", REPORTS, ids=named)
def test_report(lab: LabSide, esme: ForeignEsme, case: Report) -> None:
    to = next(_phones)
    tag = esme.send(WORDS[case.stat], to, NUMBER)
    [outcome] = soon(lambda: esme.outcomes(tag), "the peer has the receipt")
    assert outcome.kind == ("delivered" if case.delivered else "undelivered")
    assert f"stat:{case.stat} err:{case.err} " in outcome.words
    assert len(lab.texts(to)) == case.delivered


@pytest.mark.parametrize("case", REFUSALS, ids=named)
def test_refusal(lab: LabSide, esme: ForeignEsme, case: Refusal) -> None:
    to, before = next(_phones), lab.get("/stats")["refused"]
    lab.put("/faults", refuse=1, refuse_status=case.status)
    tag = esme.send("hello", to, NUMBER)
    soon(lambda: lab.get("/stats")["refused"] > before, "the lab has refused it")
    if not case.for_now:
        [outcome] = soon(lambda: esme.outcomes(tag), "the peer knows that it was refused")
        assert outcome.kind == "refused"
        assert f"0x{case.status:08x}" in outcome.words
        lab.put("/faults")
        assert lab.texts(to) == []
        return
    lab.put("/faults")
    assert len(lab.arrived(to)) == 1
    assert [outcome.kind for outcome in soon(lambda: esme.outcomes(tag), "its receipt")] == ["delivered"]


@pytest.mark.parametrize("case", TEXTS_IN, ids=named)
def test_text_in(lab: LabSide, esme: ForeignEsme, case: TextIn) -> None:
    from_, known = next(_phones), len(esme.texts())
    lab.put("/dialect", reply_parts=case.joined)
    # The peer owns its number once it has sent from it.
    esme.send("hello", from_, NUMBER)
    lab.arrived(from_)
    reply = lab.type(from_, case.body, case.encoding)
    assert (reply["parts"], reply["encoding"]) == (case.parts, case.encoding)
    assert after(esme, known) == [Got(from_, NUMBER, case.body)]
    soon(lambda: lab.replies(from_)[0]["state"] == "answered", "the peer has answered for all parts")
    assert esme.texts()[known:] == [Got(from_, NUMBER, case.body)]


@pytest.mark.parametrize("case", LINES, ids=named)
def test_line(lab: LabSide, esme: ForeignEsme, case: Line) -> None:
    line = "pair" if case.event == "transmitter_and_receiver" else "whole"
    system_id = "pair" if line == "pair" else esme.name.lower()
    phone, known = next(_phones), len(esme.texts())
    esme.send("before", phone, NUMBER, line=line)
    lab.arrived(phone)
    happen(lab, esme, system_id, (case.event, phone))
    up(lab, esme)
    # A receipt over the receiver that is quicker than the answer over the transmitter is lost by Kannel.
    lab.put("/faults", receipt_delay=0.5)
    tag = esme.send("after", phone, NUMBER, line=line)
    assert [text["body"] for text in lab.arrived(phone, 2)] == ["before", "after"]
    assert [text["system_id"] for text in lab.texts(phone)] == [system_id] * 2
    assert [outcome.kind for outcome in soon(lambda: esme.outcomes(tag), "its receipt")] == ["delivered"]
    if case.event != "away":
        lab.type(phone, "a reply")
    assert after(esme, known) == [Got(phone, NUMBER, "a reply")]


def happen(lab: LabSide, esme: ForeignEsme, system_id: str, event: tuple[str, str]) -> None:
    """Lets something happen to the lines of a system."""
    what, phone = event
    if what in ("transceiver", "transmitter_and_receiver"):
        kinds = sorted(line["session"] for line in lab.lines(system_id))
        assert kinds == (["transceiver"] if what == "transceiver" else ["receiver", "transmitter"])
    elif what == "enquire_link":
        soon(lambda: lab.lines(system_id)[0]["alive"] >= 2, "the peer answers enquire_link")
    elif what == "quiet":
        [line] = lab.lines(system_id)
        soon(lambda: lab.lines(system_id)[0]["enquiries"] >= line["enquiries"] + 2, "the peer sends enquire_link")
        assert [now["line"] for now in lab.lines(system_id)] == [line["line"]]
    elif what in ("drop", "unbind"):
        [line] = lab.lines(system_id)
        lab.end_lines(system_id, unbind=what == "unbind")
        up(lab, esme)
        assert lab.lines(system_id)[0]["line"] != line["line"]
    else:
        refused = esme.refused_binds()
        lab.put("/faults", refuse_bind=1)
        lab.end_lines()
        soon(lambda: esme.refused_binds() > refused, "a bind was refused")
        if what == "away":
            assert lab.type(phone, "a reply")["state"] == "waiting"
        lab.put("/faults")
