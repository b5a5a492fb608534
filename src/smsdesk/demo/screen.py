"""How the demo looks in a terminal: one panel for each place that the text passes."""

from typing import Any

from rich.console import Console, Group
from rich.json import JSON
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from smsdesk.demo.keys import Keys
from smsdesk.demo.story import CHOICE, SEED

ENCODINGS = {"gsm7": "GSM 03.38", "ucs2": "UCS-2"}
SHORTENED = ("id", "status", "created_at", "end_user", "participants", "outbound_number", "message_id", "segments")


class Screen:
    """Shows the acts as they come; with `json`, collects them instead."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def request(self, keys: Keys) -> None:
        """The bytes that are sent."""
        head = f"POST {keys.base_url}/apps/api/v1/sms\nAuthorization: Basic {keys.subdomain}:<token>\n"
        self._panel("1  You send", Text(f"{head}Content-Type: application/json\n\n{SEED}"))

    def answer(self, status: int, chat: dict[str, Any]) -> None:
        """The chat object, with the keys that have something to tell."""
        told = {key: chat[key] for key in SHORTENED if key in chat}
        more = Text(f"... and {len(chat) - len(told)} keys more, all as on the page", style="dim")
        self._panel(f"2  smsdesk answers {status}: accepted, and on disk", Group(JSON.from_data(told), more))

    def arrival(self, text: dict[str, Any], message: dict[str, Any]) -> None:
        """The parts on the wire, the words on the handset, and what the receipt said."""
        wire = Table.grid(padding=(0, 2))
        for number, carrier_id in enumerate(text["carrier_ids"], 1):
            wire.add_row(
                f"submit_sm {number} of {text['parts']}",
                f"{text['source']} > {text['number']}",
                f"{ENCODINGS[text['encoding']]} (data_coding {text['data_coding']})",
                f"the carrier calls it {carrier_id}",
            )
        self._panel("3  On the wire: SMPP 3.4 over TCP", wire)
        self._handset("4  On the handset", text)
        self._console.print(
            Text(f"   receipt: {message['status']} at {message['status_at']}, as message {message['id']}", style="dim")
        )

    def reply(self, message: dict[str, Any], menu: dict[str, Any], chat: dict[str, Any]) -> None:
        """The consumer's words in the chat, the menu that he got, and where his choice led the chat."""
        path = chat["menu_path"]["name"] if chat["menu_path"] else "no queue"
        body = Text.assemble(
            ("consumer: ", "bold"), message["content"], ("\n\nmenu: ", "bold"), menu["body"],
            ("\n\nconsumer: ", "bold"), CHOICE,
            f"\n\nchat {chat['id']} is {chat['status']} in {path} since {chat['queued_at']}",
        )  # fmt: skip
        self._panel("5  The handset replies and chooses: in the chat, in its queue", body)

    def agent(self, text: dict[str, Any], chat: dict[str, Any]) -> None:
        """The agent's words on the handset, and whose the chat is."""
        self._handset(f"6  {chat['agent_info']['name']} answers: on the handset again", text)
        self._console.print(Text(f"   chat {chat['id']} is {chat['status']}", style="dim"))

    def next_steps(self, keys: Keys, data: str) -> None:
        """What to try now."""
        table = Table.grid(padding=(0, 2))
        person = keys.agents[0]
        table.add_row("the desk", f"{keys.base_url}/desk/sign-in?workspace={keys.subdomain}")
        table.add_row("", f"sign in as {person.email}, password {person.password}")
        table.add_row("", "or as second, supervisor or administrator @foo.com, with the same password")
        table.add_row("API, to read and try", f"{keys.base_url}/apps/api/v1/docs")
        table.add_row("handsets, to type on", f"{keys.base_url}/handsets")
        table.add_row("16 of 16 examples", f"smsdesk conform {keys.base_url}")
        table.add_row("what would happen?", 'smsdesk explain --to "+1 415-555-0101" "It’s ready"')
        table.add_row("token, agents", f"{data}/demo.json")
        self._panel("Yours to try, until Ctrl-C", table)
        self._console.print(curl(keys), soft_wrap=True, markup=False, highlight=False)

    def _handset(self, title: str, text: dict[str, Any]) -> None:
        bubble = Panel.fit(Text(text["body"]), title=text["source"], title_align="left", border_style="green")
        self._panel(title, bubble)

    def _panel(self, title: str, body: Any) -> None:
        self._console.print(Panel(body, title=title, title_align="left", border_style="cyan"))


def curl(keys: Keys) -> str:
    """A line for the shell that sends a text to another consumer."""
    body = SEED.replace("\n", " ").replace("0100", "0101")
    return (
        f"curl -u {keys.subdomain}:{keys.token} -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}' \\\n  {keys.base_url}/apps/api/v1/sms"
    )
