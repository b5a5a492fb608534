"""The tool says yes to a server that keeps to the page, and says what is wrong with one that does not."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest
from rich.console import Console

from smsdesk import contract
from smsdesk.conform.report import Report, Result, render, to_json
from smsdesk.conform.run import Credential, Server, conform, consumer_numbers
from smsdesk.domain.phone import read_number
from tests.conform.foreign import AGENT, Foreign, Json, serving

SERVER = Server(
    "", Credential("acme", "t1"), Credential("silent", "t2"), Credential("inbound-only", "t3"), agent_id=31
)  # fmt: skip


async def run(foreign: Foreign, server: Server = SERVER, numbers: list[str] | None = None) -> Report:
    async with serving(foreign) as url:
        return await conform(replace(server, base_url=url), numbers or consumer_numbers())


def only_failure(report: Report, name: str) -> Result:
    assert [result.name for result in report.results if result.outcome != "passed"] == [name]
    return next(result for result in report.results if result.name == name)


async def test_a_server_that_keeps_to_the_page_passes_in_full() -> None:
    foreign = Foreign()
    report = await run(foreign)
    assert report.summary == "16 of 16 passed"
    assert report.ok
    sent = [request for request in foreign.seen if request["subdomain"] == "acme"]
    assert sent[0] == {
        "subdomain": "acme",
        "chat_type": "Messaging (SMS)",
        "end_user_number": "+1 415-555-0100",
        "outbound_number": "+1 628-555-0199",
        "message": "lorem ipsum",
        "ticket_id": "5006x00000XXxxxXXX",
    }
    assert len({request["end_user_number"] for request in sent[:4]}) == 4


async def test_the_null_agent_of_the_page_passes_and_is_told() -> None:
    report = await run(Foreign(fills_agent_by_email=False))
    assert report.ok
    assert "a slip" in report.results[2].notes[0]


def without(key: str) -> Callable[[Json], object]:
    return lambda answer: {name: value for name, value in answer.items() if name != key}


def with_value(**values: object) -> Callable[[Json], object]:
    return lambda answer: {**answer, **values}


def swapped(answer: Json) -> Json:
    keys = list(answer)
    keys[1], keys[2] = keys[2], keys[1]
    return {key: answer[key] for key in keys}


def first_participant(**values: object) -> Callable[[Json], object]:
    def spoil(answer: Json) -> Json:
        people = answer["participants"]
        assert isinstance(people, list)
        return {**answer, "participants": [{**people[0], **values}, *people[1:]]}

    return spoil


@pytest.mark.parametrize(
    ("spoil", "difference"),
    [
        (without("menu_path"), "missing: menu_path"),
        (swapped, "order of keys: lang is key 2 on the page, chat_type from the server"),
        (with_value(rating=0), "rating: null on the page, 0 from the server"),
        (with_value(wait_duration=False), "wait_duration: 0 on the page, false from the server"),
        (with_value(wait_duration=0.0), "wait_duration: 0 on the page, 0.0 from the server"),
        (with_value(id="abc"), 'id: an integer on the page, "abc" from the server'),
        (with_value(id=1), r"participants\[0\].chat_id: 1 expected as elsewhere in this answer, \d+ from the server"),
        (first_participant(end_user_id=3), r"participants\[0\].end_user_id: \d+ expected as elsewhere .* 3 from"),
        (
            with_value(created_at="2026-01-02T03:04:05Z"),
            "created_at: a time as .*, .2026-01-02T03:04:05Z. from the server",
        ),
        (with_value(participants=[]), "participants: [12] on the page, 0 from the server"),
        (with_value(photos=None), "photos: a list of 0 on the page, null from the server"),
        (with_value(outbound_number="+16285550100"), "outbound_number: .*199. on the page, .*100. from the server"),
        (lambda answer: {"new": 1, **answer}, "order of keys: id is key 1 on the page, new from the server"),
        (lambda answer: [answer], "body: an object on the page, a list of 1 from the server"),
    ],
)
async def test_a_wrong_answer_is_told_by_its_place(spoil: Callable[[Json], object], difference: str) -> None:
    report = await run(Foreign(spoil=spoil))
    assert report.count("failed") == 4
    for result in report.results[:4]:
        assert any(re.match(difference, line) for line in result.differences), result.differences


@pytest.mark.parametrize(
    ("info", "difference"),
    [
        ({**AGENT, "id": 32}, "agent_info.id: 31 expected"),
        ({**AGENT, "name": None}, "agent_info.name: of the kind"),
        ({**AGENT, "email": "other@foo.com"}, "agent_info.email: "),
        ({"id": 31}, "agent_info: missing: agent_number"),
        ("John Doe", "agent_info: of the kind of an object"),
    ],
)
async def test_the_agent_is_the_one_that_was_asked_for(info: object, difference: str) -> None:
    def spoil(answer: Json) -> Json:
        return {**answer, "agent_info": info} if answer["agent_info"] else answer

    report = await run(Foreign(spoil=spoil))
    assert [result.name for result in report.results if result.outcome == "failed"] == [
        "with_agent_id",
        "with_agent_email",
    ]
    assert any(line.startswith(difference) for line in report.results[1].differences), report.results[1].differences


async def test_both_agent_examples_must_show_the_same_agent() -> None:
    answers = iter(range(10))

    def spoil(answer: Json) -> Json:
        if answer["agent_info"] is None:
            return answer
        return {**answer, "agent_info": {**AGENT, "first_name": f"John {next(answers)}"}}

    result = only_failure(await run(Foreign(spoil=spoil)), "with_agent_email")
    assert result.differences == ('agent_info.first_name: "John 0" expected, "John 1" from the server',)


async def test_a_given_agent_is_compared_by_value() -> None:
    given = replace(SERVER, agent_info=json.dumps({**AGENT, "agent_number": 9}))
    report = await run(Foreign(), given)
    assert report.results[1].differences == ("agent_info.agent_number: 9 expected, null from the server",)
    assert (await run(Foreign(), replace(SERVER, agent_info=json.dumps(AGENT)))).ok


@pytest.mark.parametrize("name", [e.name for e in contract.examples() if e.status == 400])
async def test_each_sentence_is_compared_to_the_letter(name: str) -> None:
    sentence = contract.errors()[name].message
    result = only_failure(await run(Foreign(refusals={sentence: sentence + " "})), name)
    assert result.differences == (f'message: "{sentence}" on the page, "{sentence} " from the server',)


async def test_a_server_without_sessions_fails_the_last_example() -> None:
    result = only_failure(await run(Foreign(remembers=False)), "active_session")
    assert result.differences == ("status: 400 on the page, 200 from the server",)


async def test_keys_after_the_page_s_are_allowed_and_told() -> None:
    report = await run(Foreign(spoil=with_value(message_id=7, segments=1)))
    assert report.ok
    assert report.results[0].notes == ("new keys: message_id, segments",)


async def test_consumers_of_an_earlier_run_are_passed_over() -> None:
    busy = set(islice(consumer_numbers(), 20))
    assert (await run(Foreign(busy=busy))).ok


async def test_a_server_that_takes_nobody_fails() -> None:
    report = await run(Foreign(busy=set(consumer_numbers())))
    assert report.results[0].differences == ("status: 200 on the page, 400 from the server",)


async def test_what_cannot_be_brought_about_is_not_passed() -> None:
    report = await run(Foreign(), replace(SERVER, sms_off=None, outbound_off=None))
    assert report.summary == "14 of 16 passed, 2 not run"
    assert not report.ok
    assert "--sms-off" in report.results[6].notes[0]
    assert "--outbound-off" in report.results[7].notes[0]


async def test_too_few_numbers_end_in_not_run() -> None:
    report = await run(Foreign(), numbers=["+1 415-555-0100"])
    assert report.summary == "1 of 16 passed, 15 not run"


async def test_no_server_fails_every_example() -> None:
    async with serving(Foreign()) as url:
        gone = replace(SERVER, base_url=url)
    report = await conform(gone, consumer_numbers())
    assert report.summary == "0 of 16 passed, 16 failed"
    assert report.results[0].differences[0].startswith("no answer from http://127.0.0.1")


async def test_a_page_of_another_kind_is_no_answer() -> None:
    async with serving(Foreign()) as url:
        report = await conform(replace(SERVER, base_url=url + "/elsewhere/{subdomain}"), consumer_numbers())
    assert report.results[0].differences == ("status: 200 on the page, 404 from the server",)


async def test_the_report_reads_the_same_for_people_and_programs() -> None:
    report = await run(Foreign(spoil=without("menu_path")), replace(SERVER, sms_off=None))
    screen = io.StringIO()
    render(report, Console(file=screen, width=100))
    assert "missing: menu_path" in screen.getvalue()
    assert screen.getvalue().endswith("11 of 16 passed, 4 failed, 1 not run\n")
    counts = json.loads(to_json(report))
    assert (counts["total"], counts["passed"], counts["failed"], counts["not_run"]) == (16, 11, 4, 1)
    assert counts["results"][0]["differences"] == ["missing: menu_path"]
    assert "t1" not in to_json(report).decode()


def test_credentials_are_read_as_people_type_them() -> None:
    assert Credential.parse("acme:a:b") == Credential("acme", "a:b")
    assert "secret" not in repr(Credential("acme", "secret"))
    for wrong in ("acme", "acme:", ":token", ""):
        with pytest.raises(ValueError, match="SUBDOMAIN:TOKEN"):
            Credential.parse(wrong)


def test_the_consumer_numbers_are_a_thousand_that_a_server_accepts() -> None:
    numbers = list(consumer_numbers(1995))
    assert len(set(numbers)) == 1000
    assert all(isinstance(read_number(number), str) for number in numbers)
