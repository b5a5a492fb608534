"""The lab's Bandwidth against its documentation."""

from typing import Any

import httpx

from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, Stage

PATH = "api/v2/users/9900000/messages"


async def send(stage: Stage, **fields: Any) -> httpx.Response:
    data = {"from": NUMBER, "to": [HANDSET], "text": "hello", "applicationId": "app", "tag": "7-1"} | fields
    return await stage.ask("bandwidth", "POST", PATH, json=data, auth=("token", "secret"))


async def test_a_text_arrives_and_its_event_comes_in_a_list(stage: Stage) -> None:
    url = stage.customer.url("/bandwidth")
    await stage.account("bandwidth", status_url=url, callback_user="me", callback_password="hush")
    answer = await send(stage, text=LONG)
    assert (answer.status_code, answer.json()["segmentCount"], answer.json()["direction"]) == (202, 2, "out")
    assert (answer.json()["to"], answer.json()["from"], answer.json()["tag"]) == ([HANDSET], NUMBER, "7-1")
    callback = await stage.customer.next()
    (event,) = callback.json
    assert (event["type"], event["to"], event["message"]["id"]) == ("message-delivered", HANDSET, answer.json()["id"])
    assert (event["message"]["tag"], event["message"]["text"], event["description"]) == ("7-1", "", "ok")
    assert callback.headers["authorization"] == httpx.BasicAuth("me", "hush")._auth_header
    assert (await stage.rig.texts(HANDSET))[0]["via"] == "bandwidth"


async def test_failures_have_their_error_code(stage: Stage) -> None:
    await stage.account("bandwidth", status_url=stage.customer.url("/"))
    for word, code in [("#undeliv", 4702), ("#expired", 4360), ("#rejected", 4770)]:
        await send(stage, text=word)
        (event,) = (await stage.customer.next()).json
        assert (event["type"], event["errorCode"]) == ("message-failed", code)


REFUSED: list[tuple[dict[str, Any], int, list[str]]] = [
    ({"from": ""}, 400, ["from"]),
    ({"to": []}, 400, ["to"]),
    ({"to": "somebody"}, 400, ["to"]),
    ({"text": ""}, 400, ["text"]),
    ({"applicationId": None}, 400, ["applicationId"]),
    ({"text": "#refuse:0x0A"}, 400, ["from"]),
    ({"text": "#refuse:0x0B"}, 400, ["to"]),
    ({"text": "#throttle"}, 429, []),
    ({"text": "#refuse"}, 503, []),
]


async def test_what_is_wrong_is_named(stage: Stage) -> None:
    for fields, status, wrong in REFUSED:
        answer = await send(stage, **fields)
        assert answer.status_code == status, fields
        assert [error["fieldName"] for error in answer.json().get("fieldErrors", [])] == wrong


async def test_credentials_and_content_type(stage: Stage) -> None:
    await stage.account("bandwidth", api_token="token", api_secret="secret")
    assert (await send(stage)).status_code == 202
    for auth in (None, ("token", "x"), ("x", "secret")):
        assert (await stage.ask("bandwidth", "POST", PATH, json={}, auth=auth)).status_code == 401
    form = await stage.ask("bandwidth", "POST", PATH, data={"to": HANDSET}, auth=("token", "secret"))
    assert (form.status_code, form.json()["type"]) == (415, "unsupported-content-type")


async def test_search(stage: Stage) -> None:
    sent = [(await send(stage, text=f"{n}")).json() for n in range(3)]
    await send(stage, to="+14155550101")

    async def found(**asked: str) -> list[str]:
        answer = await stage.ask("bandwidth", "GET", PATH, params=asked, auth=("token", "secret"))
        assert answer.json()["totalCount"] >= len(answer.json()["messages"])
        return [message["messageId"] for message in answer.json()["messages"]]

    ids = [one["id"] for one in sent[::-1]]
    assert await found(destinationTn=HANDSET, sourceTn=NUMBER) == ids
    assert await found(destinationTn=HANDSET, limit="1") == ids[:1]
    assert await found(messageId=ids[1]) == ids[1:2]
    assert await found(destinationTn=HANDSET, fromDateTime="2099-01-01T00:00:00.000Z") == []
    assert await found(destinationTn=HANDSET, toDateTime="2001-01-01T00:00:00.000Z") == []
    assert await found(destinationTn=HANDSET, messageStatus="FAILED") == []
    assert await found(destinationTn="+14155550102") == []


async def test_a_reply_comes_until_it_is_taken(stage: Stage) -> None:
    await stage.account("bandwidth", inbound_url=stage.customer.url("/in"), numbers=[NUMBER])
    stage.customer.answers.extend([500, 404, 302])
    await stage.rig.type("STOP", NUMBER, HANDSET)
    tries = await stage.customer.take(4)
    assert {t.json[0]["message"]["id"] for t in tries} == {tries[0].json[0]["message"]["id"]}
    (event,) = tries[3].json
    assert (event["type"], event["to"]) == ("message-received", NUMBER)
    assert (event["message"]["from"], event["message"]["text"]) == (HANDSET, "STOP")
