"""The page in the browser, over HTTP: what it shows, what it loads, what it may do."""

import re
from html.parser import HTMLParser

import pytest

from smsdesk.lab.faults import Faults
from smsdesk.lab.page_faults import changed, helps
from tests.lab.rig import HANDSET, Rig

SCRIPTS = ("live.js", "handset.js", "panels.js")


async def page(rig: Rig, **asked: str) -> str:
    answer = await rig.http.get("/", params=asked)
    assert answer.status_code == 200
    return answer.text


def part(html: str, name: str) -> str:
    """The inside of the element with this id, whose tag does not stand in itself."""
    found = re.search(rf'<(\w+) id="{name}"[^>]*>(.*?)</\1>', html, re.DOTALL)
    assert found, name
    return found[2]


async def test_headers_allow_its_own_files_only(rig: Rig) -> None:
    headers = (await rig.http.get("/")).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    html = await page(rig)
    assert not re.search(r"<style| style=|<script>| on\w+=", html)


async def test_all_that_it_loads_is_there(rig: Rig) -> None:
    html = await page(rig)
    assert {f"static/{name}" for name in SCRIPTS} <= set(re.findall(r'"(static/[\w.]+)"', html))
    for path in re.findall(r'"(static/[\w.]+)"', html):
        answer = await rig.http.get(f"/{path}")
        assert answer.status_code == 200, path
        assert "://" not in answer.text.replace('xmlns="http://www.w3.org/2000/svg"', ""), path


async def test_scripts_find_what_they_look_for(rig: Rig) -> None:
    html = await page(rig)
    ids = set(re.findall(r'\bid="([\w-]+)"', html))
    for name in SCRIPTS:
        script = (await rig.http.get(f"/static/{name}")).text
        wanted = set(re.findall(r'getElementById\("([\w-]+)"\)', script))
        wanted |= (
            set(re.findall(r'"([\w-]+)"', re.search(r"PARTS = \[(.*?)\]", script)[1])) if "PARTS" in script else set()
        )
        assert wanted <= ids, name


class Tags(HTMLParser):
    """Fails where a tag is closed that is not the last that was opened."""

    VOID = frozenset({"meta", "link", "input", "option", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


async def test_it_is_well_formed_with_something_in_every_part(rig: Rig) -> None:
    esme = await rig.bound()
    await esme.submit(b"hello")
    await rig.type("hi")
    await esme.delivered()
    await rig.faults(lose_answer=0.1, hang=True)
    tags = Tags()
    tags.feed(await page(rig))
    assert tags.open == []


async def test_thousands_of_handsets_are_paged_and_found(rig: Rig) -> None:
    esme = await rig.bound()
    esme.send(*[esme.submit_sm(b"%d" % n, destination_addr=f"1415555{n:04d}") for n in range(2000)])
    await esme.passed()
    html = await page(rig)
    assert part(html, "handsets").count("<li>") == 50
    assert "1 to 50 of 2,000" in part(html, "pages")
    assert "+1 415-555-1999" in part(html, "handsets")
    older = re.search(r'href="\./\?([^"]*)">Older', html)
    assert older
    second = (await rig.http.get("/?" + older[1].replace("&amp;", "&"))).text
    assert "51 to 100 of 2,000" in part(second, "pages")
    assert "+1 415-555-1949" in part(second, "handsets")
    assert 'data-number="+14155551999"' in second
    for search in ("0042", "555-0042", "+1 415 555 0042"):
        found = await page(rig, search=search)
        assert (part(found, "handsets").count("<li>"), 'data-number="+14155550042"' in found) == (1, True)
    unknown = await page(rig, search="+1 415 555 9999")
    assert 'data-number="+14155559999"' in unknown
    assert "No handset has this in its number yet" in unknown


async def test_a_long_thread_shows_its_end(rig: Rig) -> None:
    esme = await rig.bound()
    esme.send(*[esme.submit_sm(b"number %d." % n) for n in range(150)])
    await esme.passed()
    thread = part(await page(rig), "thread")
    assert "50 earlier ones are not shown" in thread
    assert ("number 49." in thread, "number 50." in thread, "number 149." in thread) == (False, True, True)


async def test_bubbles_say_how_texts_went(rig: Rig) -> None:
    esme = await rig.bound()
    await esme.submit("žluťoučký".encode("utf-16-be"), data_coding=8)
    data = {"from": "+16285550199", "to": HANDSET, "text": "b" * 161}
    await rig.http.post("/vendors/generic/messages", json=data, headers={"authorization": "Bearer t"})
    thread = part(await page(rig, number=HANDSET), "thread")
    assert "from +1 628-555-0199 · 1 part · UCS-2</p>" in thread
    assert "from +1 628-555-0199 · 2 parts · GSM-7 · by generic</p>" in thread


async def test_the_automatic_reply_is_shown(rig: Rig) -> None:
    assert 'id="auto-on" role="switch" >' in await page(rig, number=HANDSET)
    await rig.http.put(f"/handsets/{HANDSET}/auto-reply", json={"body": 'say "ok"'})
    html = await page(rig, number=HANDSET)
    assert 'id="auto-on" role="switch" checked>' in html
    assert 'value="say &quot;ok&quot;"' in html


async def test_faults_have_a_control_each_and_show_when_they_are_on(rig: Rig) -> None:
    html = await page(rig)
    names = Faults.__struct_fields__
    assert re.findall(r'\bname="(\w+)" aria-describedby', html) == list(names)
    assert ("no faults" in part(html, "chip"), 'id="all-off" hidden' in html) == (True, True)
    assert 'class="fault on"' not in html
    await rig.faults(lose_answer=0.1, hang=True)
    await rig.http.put("/profile", json={"name": "bad_day"})
    html = await page(rig)
    assert "2 faults on, profile bad_day" in part(html, "chip")
    assert (html.count('class="fault on"'), 'id="all-off" hidden' in html) == (2, False)
    assert re.search(r'id="f-lose_answer"[^>]* value="0.1"><output for="f-lose_answer">10%', html)
    assert re.search(r'id="f-hang"[^>]* checked>', html)
    assert '<option value="bad_day" selected>' in html


def test_each_fault_is_changed_by_itself() -> None:
    assert changed(Faults()) == {}
    assert changed(Faults(drop_after=3, undeliver_stat="REJECTD")) == {"drop_after": 3, "undeliver_stat": "REJECTD"}
    assert list(helps(Faults)) == list(Faults.__struct_fields__)
    assert helps(Faults)["vanish"].startswith("Neither handset nor sender")


async def test_the_board_counts(rig: Rig) -> None:
    esme = await rig.bound(system_id="a<b")
    await esme.submit(b"hello")
    board = await page(rig)
    assert "<td>a&lt;b</td><td>transceiver</td>" in board
    assert re.search(r'data-drop="[^"]+"', board)
    data = {"from": "+16285550199", "to": HANDSET, "text": "b", "callback_url": "http://callbacks.example/"}
    await rig.http.post("/vendors/generic/messages", json=data, headers={"authorization": "Bearer t"})
    await rig.http.get("/vendors")
    board = await page(rig)
    assert re.search(r'<td>generic<span class="note">/vendors/generic/</span></td><td class="figure">1</td>', board)
    assert "--allow-host callbacks.example" in board


@pytest.mark.parametrize("asked", [{"skip": "-1"}, {"number": "1" * 21}, {"search": "1" * 21}])
async def test_questions_out_of_range(rig: Rig, asked: dict[str, str]) -> None:
    assert (await rig.http.get("/", params=asked)).status_code == 400


async def test_what_is_asked_is_escaped(rig: Rig) -> None:
    for asked in ({"number": '"><script>'}, {"search": '"><script>'}):
        assert "<script>" not in await page(rig, **asked)
