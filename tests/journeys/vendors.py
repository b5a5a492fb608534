"""The HTTP carriers as their pages in docs/carriers set them up, and the lab's side of each."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

PAGES = Path(__file__).parents[2] / "docs" / "carriers"
GATEWAY: dict[str, Any] = {
    "fields": {"from": "{source}", "to": "{destination}", "text": "{body}", "reference": "{text_id}-{attempt}",
               "callback_url": "{callback_url}", "media": "{media_urls}"},
    "answers": {"message_id": "id", "refused": {'"opted_out"': "opted_out"}},
    "callbacks": {
        "proof": {"kind": "hmac", "header": "X-Signature", "timestamp_header": "X-Timestamp",
                  "signed": "{timestamp}.{body}"},
        "report_id": "id", "report_status": "status", "report_code": "error", "report_number": "to",
        "statuses": {"delivered": "delivered", "undelivered": "undelivered"}, "codes": {"012": "unreachable"},
        "reply_id": "id", "reply_from": "from", "reply_to": "to", "reply_body": "text",
        "reply_media": "media",
    },
}  # fmt: skip
"""What docs/lab.md says of the generic vendor, in the words of docs/carriers/generic.md."""


def secret(name: str) -> str:
    """What the environment variable of this name holds."""
    return f"{name}-of-no-less-than-thirty-two-octets"


@dataclass(frozen=True)
class Vendor:
    """One vendor of the lab, and what is its own about it."""

    name: str
    number: str
    """Ours, over this vendor alone."""
    account: dict[str, Any]
    """Its credentials, as the lab is told."""
    undelivered: tuple[str, str]
    """Why a phone got nothing, in our words and in the carrier's."""
    path: str = ""
    """What follows the lab's address of it."""
    proofs: tuple[str, ...] = ("wrong", "missing", "old")
    """What the lab can forge; a password, and a signature without a time, have no age."""
    states: tuple[str, ...] = ("delivered", "sent")
    """What its callbacks say of a text that arrived, not in that order."""


UNREACHABLE, UNTOLD = "Phone off or out of reach", "Carrier gave no reason"
VENDORS = (
    Vendor("twilio", "+16285550101", {"auth_token": secret("TWILIO_TOKEN")},
           (UNREACHABLE, "undelivered 30003"), proofs=("wrong", "missing")),
    Vendor("vonage", "+16285550102",
           {"api_key": secret("VONAGE_KEY"), "api_secret": secret("VONAGE_SECRET"),
            "signature_secret": secret("VONAGE_SIGNATURE")}, (UNTOLD, "failed 1"), states=("delivered",)),
    Vendor("telnyx", "+16285550103", {"api_key": secret("TELNYX_KEY")}, (UNREACHABLE, "delivery_failed 40008")),
    Vendor("bandwidth", "+16285550104",
           {"api_token": secret("BANDWIDTH_USER"), "api_secret": secret("BANDWIDTH_PASSWORD"),
            "callback_user": "smsdesk", "callback_password": secret("BANDWIDTH_CALLBACK")},
           (UNREACHABLE, "message-failed 4702"), proofs=("wrong", "missing"), states=("delivered",)),
    Vendor("kannel", "+16285550105",
           {"username": "desk", "password": secret("KANNEL_PASSWORD"), "http_method": "POST",
            "http_request_retry": 10, "http_queue_delay": 10}, (UNTOLD, "dlr 2 err:0012"), "/cgi-bin/sendsms", ()),
    Vendor("generic", "+16285550106", {"token": secret("GATEWAY_TOKEN"), "secret_key": secret("GATEWAY_SECRET")},
           (UNREACHABLE, "undelivered 012"), "/messages"),
)  # fmt: skip


def page(name: str) -> str:
    """What docs/carriers says of it."""
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def variables(telnyx_key: str) -> dict[str, str]:
    """The environment that the pages speak of. Telnyx's public key is not ours to choose."""
    names = [name for vendor in VENDORS for name in re.findall(r"{env: (\w+)}", page(vendor.name))]
    return {name: secret(name) for name in names} | {"TELNYX_PUBLIC_KEY": telnyx_key}


def both_sides(vendor: Vendor, lab: str, port: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The set-up file of the vendor's page with the addresses of this machine, and the account that the lab is told."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page(vendor.name), re.MULTILINE | re.DOTALL)
    document = YAML(typ="safe").load(block)
    (carrier,) = document["carriers"]
    address = f"http://127.0.0.1:{port}/callbacks/acme/{carrier['name']}"
    carrier |= {"base_url": f"{lab}/vendors/{vendor.name}{vendor.path}", "callback_url": address}
    if vendor.name == "vonage":
        carrier["messages_url"] = f"{lab}/vendors/vonage"
    if vendor.name == "generic":
        carrier |= GATEWAY
        name = {"message_id": "messages.0.id", "status": "messages.0.status"}
        carrier["search"] = {"url": f"{carrier['base_url']}?reference={{text_id}}-{{attempt}}", **name}
    document["numbers"] = [{"number": vendor.number, "carrier": carrier["name"], "queue": "Orders"}]
    account = {**vendor.account, "numbers": [vendor.number], "inbound_url": inbound_url(vendor, address)}
    return document, account | ({"status_url": address} if vendor.name == "bandwidth" else {})


def inbound_url(vendor: Vendor, address: str) -> str:
    """Where replies go: as the page writes it into kannel.conf, and at the others plainly the callback address."""
    if vendor.name != "kannel":
        return address
    (shown,) = re.findall(r'^post-url = "(.*)"$', page("kannel"), re.MULTILINE)
    return f"{address}?{urlsplit(shown).query}".replace("SECRET", secret("KANNEL_SECRET"))
