"""The first page: where everything is."""

from typing import Any

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from smsdesk.api.docs import DOCS_PATH, OPENAPI_PATH
from smsdesk.api.services import Services
from smsdesk.errors import Problem

_STYLE = """:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } li { margin: .4rem 0; } code { font-size: .95em; }
"""
_POLICY = "default-src 'none'; style-src 'self'"


@get("/", include_in_schema=False)
async def home(services: NamedDependency[Services]) -> Response[str]:
    """Links to what this server has."""
    handsets = '<li><a href="/handsets">Handsets of the lab</a>, to read and type on</li>' if services.lab_page else ""
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>smsdesk</title><link rel="stylesheet" href="/home.css"></head>
<body><h1>smsdesk</h1><p>The SMS channel of a contact center. One <code>POST /apps/api/v1/sms</code> opens a text
conversation with a consumer, the reply lands with a person at the desk.</p><ul>
<li><a href="/desk"><strong>The desk</strong></a>, for agents, supervisors, administrators and developers</li>
<li><a href="{DOCS_PATH}">API</a>, to read and try (<a href="{OPENAPI_PATH}">OpenAPI</a>)</li>{handsets}
<li><a href="/health">Health</a></li></ul></body></html>
"""
    return Response(page, media_type=MediaType.HTML, headers={"content-security-policy": _POLICY})


@get("/home.css", include_in_schema=False)
async def style() -> Response[str]:
    """How the first page looks."""
    return Response(_STYLE, media_type=MediaType.CSS)


@get("/handsets", include_in_schema=False)
async def handsets(services: NamedDependency[Services]) -> Response[Any]:
    """The way to the lab's handsets, where there is a lab."""
    if not services.lab_page:
        raise Problem("not_found")
    return Redirect(services.lab_page, status_code=307)
