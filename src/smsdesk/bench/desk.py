"""From the consumer's thumb to the agent's eye: how long until a reply is in the open thread, with many desks open."""

import asyncio
import hashlib
import html
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp

from smsdesk.bench.browser import Eye, looking
from smsdesk.bench.latency import summarize
from smsdesk.bench.processes import Meter
from smsdesk.bench.report import Report, Row, cost, headline
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, run

DESKS = 100
SETUP = f"""
tenant: {TENANT}
settings: {{chats_per_agent: 100}}
carriers: [{{name: lab, type: lab, window: 50}}]
queues: [{{name: Support}}]
numbers: [{{number: "{OURS}", carrier: lab, queue: Support}}]
agents:
""" + "".join(
    f"  - {{email: agent{n}@example.com, first_name: Agent, last_name: Number {n}, queues: [Support]}}\n"
    for n in range(DESKS)
)
LINE = re.compile(r'<li id="([^"]+)" data-v="([^"]+)"')
PART, ADDRESS, TOPIC = re.compile(r"<[^>]*hx-get=[^>]*>"), re.compile(r'hx-get="([^"]+)"'), re.compile(r"live:([\w-]+)")
MOST_TOLD = 120
PATIENCE = 30.0
"""Seconds after which a reply counts as lost."""


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """So many replies a second, for so long, each to another of DESKS open desks."""

    rate: int = 50
    seconds: int = 20

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 1


@dataclass(slots=True)
class _Seat:
    """An agent with his one open chat, who fetches what his browser would."""

    http: aiohttp.ClientSession
    base: str
    cookie: str
    chat_id: int
    expected: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    fetches: int = 0
    octets: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    parts: list[tuple[str, set[str]]] = field(default_factory=list)
    """What of the page asks for itself again: each address, and the topics on which it does."""
    _have: dict[str, str] = field(default_factory=dict)
    """The lines of the thread that the page has, which it tells when it asks for what is new (`static/thread.js`)."""
    _again: set[str] = field(default_factory=set)
    _asking: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def sit(self) -> None:
        """Opens the page, then listens until cancelled."""
        page = f"{self.base}/desk/chats/{self.chat_id}"
        async with self.http.get(page, headers={"Cookie": self.cookie}) as answer:
            text = await answer.text()
            self._have.update(LINE.findall(text))
            for tag in PART.findall(text):
                address, topics = ADDRESS.search(tag), set(TOPIC.findall(tag))
                if address is not None and topics:
                    self.parts.append((html.unescape(address[1]), topics))
        if not self.parts:
            raise BenchError(f"{page} has no part that stays new")
        url = f"{self.base}/desk/live?chats={self.chat_id}"
        async with self.http.get(url, headers={"Cookie": self.cookie}) as answer:
            if answer.status != 200:
                raise BenchError(f"{url} was answered {answer.status}")
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    self._told(json.loads(line[6:]))

    def _told(self, topics: dict[str, str]) -> None:
        self.ready.set()
        for address, wanted in self.parts:
            if wanted & topics.keys():
                self._ask(address)

    def _ask(self, path: str) -> None:
        # As htmx does: one request of a part at a time, and one more where something came while it was under way.
        if path in self._asking:
            self._again.add(path)
        else:
            self._asking[path] = asyncio.create_task(self._fetch(path))

    async def _fetch(self, path: str) -> None:
        try:
            headers, of_thread = {"Cookie": self.cookie, "HX-Request": "true"}, path.endswith("/thread")
            have = ",".join(f"{key}~{version}" for key, version in [*self._have.items()][-MOST_TOLD:])
            asked = {"have": have} if of_thread else None
            async with self.http.get(self.base + path, headers=headers, params=asked) as answer:
                text = await answer.text()
            if answer.status != 200:
                raise BenchError(f"{path} was answered {answer.status}: {text[:200]}")
            self.fetches, self.octets = self.fetches + 1, self.octets + len(text)
            if of_thread:
                self._have.update(LINE.findall(text))
                now = time.perf_counter()
                for body in [body for body in self.expected if body in text]:
                    self.took.append(now - self.expected.pop(body))
        except aiohttp.ClientConnectionError:
            return  # the measurement is over, or the wait for its lines ends it
        finally:
            del self._asking[path]
            if path in self._again:
                self._again.discard(path)
                self._ask(path)


def bench_desk(rig: Rig, plan: DeskPlan, step: Callable[[str], None]) -> Report:
    """Measures on a rig with `SETUP`; `step` hears of each measurement before it begins."""
    rig.lab()
    server, port = rig.api()
    meter = Meter({"api": server.pid, "worker": rig.worker().pid, "PostgreSQL": rig.postmaster})
    step(f"{plan.rate} replies a second for {plan.seconds} s, {DESKS} desks")
    seats, eye = run(_measure(rig, plan, f"http://127.0.0.1:{port}"))
    latency = summarize(int(seconds * 1e9) for seat in seats for seconds in seat.took)
    fetches = sum(seat.fetches for seat in seats)
    note = f"{fetches} parts of pages, {sum(seat.octets for seat in seats) / max(1, fetches) / 1024:.0f} kB each"
    rows, shown = [Row("replies, over HTTP", plan.rate, latency, note=note)], latency
    if eye.took:
        shown = summarize(int(seconds * 1e9) for seconds in eye.took)
    rows.append(Row("replies of one desk, in Chromium", len(eye.took) / plan.seconds, shown, note=eye.note))
    return Report(
        f"Desk: from the handset into the open thread, {DESKS} desks open",
        (
            headline(f"p50 of a reply's way at {plan.rate} a second", latency.p50_ms, "ms", most=300.0),
            headline(f"p99 of a reply's way at {plan.rate} a second", latency.p99_ms, "ms", most=2000.0),
        ),
        tuple(rows if eye.took else rows[:1]),
        "What a reply cost, with all that the desks asked for; their sitting down is in it",
        tuple(cost(name, used, plan.rate * plan.seconds) for name, used in meter.look().items()),
    )


async def _measure(rig: Rig, plan: DeskPlan, base: str) -> tuple[list[_Seat], Eye]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as http:
        seats = await _sit_down(rig, http, base)
        listening = [asyncio.create_task(seat.sit()) for seat in seats]
        try:
            await asyncio.wait_for(asyncio.gather(*(seat.ready.wait() for seat in seats)), PATIENCE)
            async with looking(base, seats[0].cookie, seats[0].chat_id) as eye:
                await _type(rig, http, plan, seats, eye)
                await _all_seen(seats, listening)
                await eye.read()
            return seats, eye
        finally:
            for task in listening:
                task.cancel()


async def _type(rig: Rig, http: aiohttp.ClientSession, plan: DeskPlan, seats: list[_Seat], eye: Eye) -> None:
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for n in range(plan.rate * plan.seconds):
            await asyncio.sleep(max(0.0, start + n / plan.rate - time.perf_counter()))
            seat, body = seats[n % len(seats)], f"reply number {n}."
            seat.expected[body] = time.perf_counter()
            if seat is seats[0]:
                eye.typed[body] = time.time()
            group.create_task(_reply(rig, http, n % len(seats), body))


async def _reply(rig: Rig, http: aiohttp.ClientSession, n: int, body: str) -> None:
    url = f"http://127.0.0.1:{rig.lab_http_port}/handsets/{_phone(n)}/reply"
    async with http.post(url, json={"to": OURS, "body": body}) as answer:
        await answer.read()


async def _all_seen(seats: list[_Seat], listening: "list[asyncio.Task[None]]") -> None:
    until = time.monotonic() + PATIENCE
    while any(seat.expected for seat in seats):
        for task in listening:
            if task.done():
                raise BenchError(f"a desk's connection ended: {task.exception()}")
        if time.monotonic() > until:
            lost = sum(len(seat.expected) for seat in seats)
            raise BenchError(f"{lost} replies were not in their threads after {PATIENCE:.0f} s")
        await asyncio.sleep(0.05)


def _phone(n: int) -> str:
    return f"+1212555{n:04}"


async def _sit_down(rig: Rig, http: aiohttp.ClientSession, base: str) -> list[_Seat]:
    """Every agent signed in, with one chat whose consumer has written."""
    agents = [row[0] for row in await rig.rows("select agent_id from agents order by agent_id")]
    now = datetime.now(UTC)
    for agent_id in agents:
        secret = hashlib.sha256(f"secret of {agent_id}".encode()).digest()
        await rig.rows(
            "insert into sessions (tenant_id, session_sha256, agent_id, created_at, seen_at, expires_at)"
            " values ($1, $2, $3, $4, $4, $5)",
            rig.tenant_id, secret, agent_id, now, now + timedelta(hours=12),
        )  # fmt: skip
    for n in range(len(agents)):
        await _reply(rig, http, n, "hello")
    chats = await _chats(rig, len(agents))
    auth = {"Authorization": aiohttp.encode_basic_auth(TENANT, rig.token)}
    seats = []
    for n, agent_id in enumerate(agents):
        chat_id = chats[_phone(n)]
        body = {"agent_id": agent_id, "force": True}
        async with http.post(f"{base}/apps/api/v1/chats/{chat_id}/assign", json=body, headers=auth) as answer:
            if answer.status >= 300:
                raise BenchError(f"a chat was not assigned: {await answer.text()}")
        seats.append(_Seat(http, base, f"smsdesk={TENANT}.secret of {agent_id}", chat_id))
    return seats


async def _chats(rig: Rig, count: int) -> dict[str, int]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        rows = await rig.rows("select e.number, c.chat_id from chats c join end_users e using (tenant_id, end_user_id)")
        if len(rows) == count:
            return {row[0]: row[1] for row in rows}
        await asyncio.sleep(0.1)
    raise BenchError("not every reply opened a chat")
