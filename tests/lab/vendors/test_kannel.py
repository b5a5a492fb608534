"""The lab's Kannel: sendsms, dlr-url and get-url after the user guide."""

import httpx

from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, Stage

WHO = {"username": "tester", "password": "foobar"}


async def send(stage: Stage, **args: str) -> httpx.Response:
    asked = WHO | {"from": NUMBER, "to": HANDSET, "text": "hello"} | args
    return await stage.ask("kannel", "GET", "cgi-bin/sendsms", params=asked)


async def test_a_report_fills_the_dlr_url(stage: Stage) -> None:
    template = stage.customer.url("/dlr?type=%d&from=%p&to=%P&id=%F&said=%A&secret=s%%1&ref=7-1&odd=%z")
    answer = await send(stage, **{"dlr-mask": "27", "dlr-url": template})
    assert (answer.status_code, answer.text) == (202, "0: Accepted for delivery")
    took, delivered = await stage.customer.take(2)
    assert (took.method, took.query["type"], took.query["said"]) == ("GET", "8", "ACK/")
    assert (delivered.query["type"], delivered.query["from"], delivered.query["to"]) == ("1", HANDSET, NUMBER)
    assert (delivered.query["secret"], delivered.query["ref"]) == ("s%1", "7-1")
    assert "odd=%z" in delivered.url
    assert took.query["id"] == delivered.query["id"] != ""


async def test_the_mask_chooses_reports(stage: Stage) -> None:
    url = stage.customer.url("/dlr?type=%d")
    await send(stage, text="#undeliv", **{"dlr-mask": "1", "dlr-url": url})
    await send(stage, text="#undeliv", **{"dlr-mask": "2", "dlr-url": url})
    assert (await stage.customer.next()).query["type"] == "2"
    assert len(stage.customer.seen) == 1


ANSWERS = [
    ({"password": ""}, 202, "0: Accepted for delivery"),
    ({"username": ""}, 403, "Authorization failed for sendsms"),
    ({"to": ""}, 400, "Empty receiver number not allowed, rejected"),
    ({"from": ""}, 400, "Sender missing and no global set, rejected"),
    ({"charset": "klingon"}, 400, "Charset or body misformed, rejected"),
    ({"text": "#refuse:0x0B"}, 403, "Not routable. Do not try again."),
    ({"text": "#throttle"}, 503, "Temporal failure, try again later."),
]


async def test_answers_are_kannels(stage: Stage) -> None:
    for args, status, said in ANSWERS:
        answer = await send(stage, **args)
        assert (answer.status_code, answer.text) == (status, said), args


async def test_credentials_are_checked_once_they_are_set(stage: Stage) -> None:
    await stage.account("kannel", **WHO)
    assert (await send(stage, password="wrong")).status_code == 403
    assert (await send(stage)).status_code == 202
    assert (await stage.ask("kannel", "GET", "cgi-bin/sendmms")).status_code == 404


async def test_texts_in_every_coding(stage: Stage) -> None:
    body = "Grüße, żółw"
    await send(stage, text=body)
    ucs2 = "".join(f"%{octet:02X}" for octet in body.encode("utf-16-be"))
    asked = httpx.QueryParams(WHO | {"from": NUMBER, "to": HANDSET, "coding": "2"})
    await stage.ask("kannel", "GET", f"cgi-bin/sendsms?{asked}&text={ucs2}")
    await stage.ask("kannel", "POST", "cgi-bin/sendsms", data=WHO | {"from": NUMBER, "to": HANDSET, "text": body})
    headers = {"username": "tester", "password": "foobar", "from": NUMBER, "to": HANDSET, "charset": "latin-1"}
    await stage.ask(
        "kannel", "POST", "cgi-bin/sendsms", content="Grüße".encode("latin-1"),
        headers={f"x-kannel-{name}": value for name, value in headers.items()} | {"content-type": "text/plain"},
    )  # fmt: skip
    assert await stage.rig.bodies(HANDSET) == [body, body, body, "Grüße"]


async def test_a_reply_fills_the_get_url(stage: Stage) -> None:
    template = stage.customer.url("/in?from=%p&to=%P&all=%a&word=%k&rest=%r&coding=%c&id=%I")
    await stage.account("kannel", inbound_url=template, numbers=[NUMBER])
    await stage.rig.type("stop it & now", NUMBER, HANDSET)
    asked = (await stage.customer.next()).query
    assert (asked["from"], asked["to"], asked["all"]) == (HANDSET, NUMBER, "stop it & now")
    assert (asked["word"], asked["rest"], asked["coding"]) == ("stop", "it & now", "0")
    await stage.rig.type(LONG, NUMBER, HANDSET)
    assert (await stage.customer.next()).query["all"] == LONG


async def test_a_smsbox_tries_again_as_it_is_set_up(stage: Stage) -> None:
    stage.customer.answers.extend([500])
    await stage.account("kannel", inbound_url=stage.customer.url("/in"), numbers=[NUMBER], http_request_retry=2)
    await stage.rig.type("1", NUMBER, HANDSET)
    await stage.customer.next()
    # An answer is an answer to a smsbox: it tries again without one only.
    await stage.reply_is("refused")
    assert len(stage.customer.seen) == 1
