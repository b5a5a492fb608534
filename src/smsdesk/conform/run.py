"""Sends each example to a server, in the state that it needs, and collects the differences."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import aiohttp

from smsdesk import contract
from smsdesk.conform.compare import APART, Comparison, Keys, parse_ordered, show
from smsdesk.conform.report import Outcome, Report, Result

PATH = "/apps/api/v1/sms"
SECONDS = 30.0
MOST_BUSY = 50
"""Consumers in a row that may be in a chat from an earlier run, before a server counts as refusing everybody."""

# Area codes whose numbers 555-0100 to 555-0199 are kept for examples: they belong to nobody (NANPA, 555 line numbers).
AREAS = ("415", "212", "312", "206", "303", "617", "713", "512", "404", "602")
PAGE_CONSUMER, PAGE_AGENT_ID, PAGE_AGENT_EMAIL = "+1 415-555-0100", 1, "john.doe@foo.com"
PAGE_OUTBOUND, PAGE_OUTBOUND_ANSWER = "+1 628-555-0199", "+16285550199"


@dataclass(frozen=True, slots=True)
class Credential:
    """The Basic user and password of the API: a tenant's subdomain and a token."""

    subdomain: str
    token: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Credential":
        """Reads `SUBDOMAIN:TOKEN`. Raises ValueError with a sentence for anything else."""
        subdomain, colon, token = text.partition(":")
        if not (subdomain and colon and token):
            raise ValueError("a credential is written SUBDOMAIN:TOKEN")
        return cls(subdomain, token)


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of the server under test. `{subdomain}` in the address becomes the credential's."""

    base_url: str
    credential: Credential
    sms_off: Credential | None = None
    outbound_off: Credential | None = None
    outbound_number: str = PAGE_OUTBOUND
    unknown_number: str = "+1 628-555-0142"
    agent_id: int = PAGE_AGENT_ID
    agent_email: str = PAGE_AGENT_EMAIL
    agent_info: str | None = None
    """The agent as JSON text, when every value of it is to be checked; without it only their kinds are."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `fault` says why nothing did."""

    status: int = 0
    media_type: str = ""
    text: str = ""
    fault: str = ""


def consumer_numbers(start: int = 0) -> Iterator[str]:
    """A thousand numbers that belong to nobody, from place `start` on, so that runs need not meet the same ones."""
    for place in range(start, start + 1000):
        area, line = divmod(place % 1000, 100)
        yield f"+1 {AREAS[area]}-555-01{line:02}"


async def conform(server: Server, numbers: Iterable[str]) -> Report:
    """Runs every example of the page once, in its order, and says of each whether the answer is the page's.

    `numbers` are consumers that nobody reads: successful examples open chats with them and send them a text. Examples
    whose state this run cannot bring about are reported as not run, and a server that does not answer has failed.
    Raises ValueError for an `agent_info` that is no JSON object.
    """
    agent = parse_ordered(server.agent_info) if server.agent_info else Keys((("email", server.agent_email),))
    if not isinstance(agent, Keys):
        raise ValueError("agent_info must be a JSON object, as the server answers it")
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        run = _Run(server, session, iter(numbers), agent)
        return Report(server.base_url, tuple([await run.example(example) for example in contract.examples()]))


@dataclass(slots=True)
class _Run:
    server: Server
    session: aiohttp.ClientSession
    numbers: Iterator[str]
    agent: Keys
    """What is known of the agent: at first what was given, then the first answer's agent_info."""

    async def example(self, example: contract.Example) -> Result:
        credential: Credential | None = self.server.credential
        if "sms_off" in example.needs:
            credential = self.server.sms_off
        if "outbound_off" in example.needs:
            credential = self.server.outbound_off
        if credential is None:
            off, option = ("SMS", "--sms-off") if "sms_off" in example.needs else ("outbound SMS", "--outbound-off")
            note = f"needs a tenant whose {off} is switched off: {option} SUBDOMAIN:TOKEN"
            return Result(example.name, example.title, "not run", notes=(note,))
        try:
            request, answer = await self._answer(example, credential)
        except LookupError:
            note = "needs another consumer number, and all that were given are used: give more"
            return Result(example.name, example.title, "not run", notes=(note,))
        return self._judge(example, request, answer)

    async def _answer(self, example: contract.Example, credential: Credential) -> tuple[str, Answer]:
        """Brings about what the example needs and sends it. Raises LookupError when the numbers are used up."""
        wants_chat, wants_free = "active_session" in example.needs, "free_consumer" in example.needs
        request = self._request(example, self._number())
        answer = await self._send(request, credential)
        if wants_chat and answer.status == 200:
            answer = await self._send(request, credential)
        tries = 1
        while wants_free and _is_busy(answer) and tries < MOST_BUSY:
            request = self._request(example, self._number())
            answer = await self._send(request, credential)
            tries += 1
        return request, answer

    def _number(self) -> str:
        for number in self.numbers:
            return number
        raise LookupError("no consumer number left")

    def _request(self, example: contract.Example, number: str) -> str:
        """The page's request with this run's numbers and agent in place of the page's."""
        body: dict[str, object] = json.loads(example.request)
        outbound = (
            self.server.unknown_number if "unknown_outbound_number" in example.needs else self.server.outbound_number
        )
        instead = {"end_user_number": (PAGE_CONSUMER, number), "outbound_number": (PAGE_OUTBOUND, outbound)}
        for key, (on_page, here) in instead.items():
            if body.get(key) == on_page:
                body[key] = here
        if "agentId" in body:
            body["agentId"] = self.server.agent_id
        if "agentEmail" in body:
            body["agentEmail"] = self.server.agent_email
        return json.dumps(body, indent=0, ensure_ascii=False)

    async def _send(self, request: str, credential: Credential) -> Answer:
        url = self.server.base_url.replace("{subdomain}", credential.subdomain).rstrip("/") + PATH
        basic = base64.b64encode(f"{credential.subdomain}:{credential.token}".encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {basic}"}
        try:
            async with self.session.post(url, data=request.encode(), headers=headers) as response:
                text = (await response.read()).decode("utf-8", "replace")
                return Answer(response.status, response.content_type, text)
        except TimeoutError:
            return Answer(fault=f"no answer from {url} in {SECONDS:.0f} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(fault=f"no answer from {url}: {error}")

    def _judge(self, example: contract.Example, request: str, answer: Answer) -> Result:
        comparison = Comparison({PAGE_AGENT_ID: self.server.agent_id}, APART if "agent" in example.needs else "")
        if answer.fault:
            comparison.differences.append(answer.fault)
        elif answer.status != example.status:
            comparison.differences.append(f"status: {example.status} on the page, {answer.status} from the server")
        else:
            self._compare(example, answer, comparison)
        outcome: Outcome = "failed" if comparison.differences else "passed"
        return Result(
            example.name,
            example.title,
            outcome,
            tuple(comparison.differences),
            tuple(comparison.notes),
            request,
            answer.text,
        )

    def _compare(self, example: contract.Example, answer: Answer, comparison: Comparison) -> None:
        if answer.media_type != "application/json":
            comparison.differences.append(
                f"Content-Type: application/json expected, {answer.media_type} from the server"
            )
        try:
            given = parse_ordered(answer.text)
        except ValueError as error:
            comparison.differences.append(f"body: no JSON: {error}")
            return
        outbound = "+" + re.sub(r"\D", "", self.server.outbound_number)
        page = parse_ordered(example.response.replace(PAGE_OUTBOUND_ANSWER, outbound))
        comparison.compare(page, given)
        if "agent" in example.needs and isinstance(page, Keys) and isinstance(given, Keys):
            self._compare_agent(page.get("agent_info"), given.get("agent_info"), comparison)

    def _compare_agent(self, page: object, given: object, comparison: Comparison) -> None:
        """An installation's agent has its own name and address: they need the page's kinds, and to be told alike."""
        if page is None and given is None:
            comparison.notes.append("agent_info is null, as on the page, whose agent takes part all the same: a slip")
            return
        comparison.compare(_page_agent(), given, "agent_info", kind_only=True)
        if isinstance(given, Keys):
            for key, value in self.agent.pairs:
                if given.get(key) != value:
                    expected, had = show(value), show(given.get(key))
                    comparison.differences.append(f"agent_info.{key}: {expected} expected, {had} from the server")
        if isinstance(given, Keys) and not comparison.differences:
            self.agent = given


def _page_agent() -> object:
    with_agent = next(example for example in contract.examples() if example.name == "with_agent_id")
    page = parse_ordered(with_agent.response)
    return page.get("agent_info") if isinstance(page, Keys) else None


def _is_busy(answer: Answer) -> bool:
    refusal = contract.errors()["active_session"]
    return answer.status == refusal.status and refusal.message in answer.text
