"""The published OpenAPI document, and a page to read and try it that loads nothing from elsewhere."""

from importlib.metadata import version
from typing import Any

import msgspec
import swagger_ui_bundle
from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.router import Router
from litestar.static_files import create_static_files_router

from smsdesk.api.keys import LONGEST_KEY, PREFIX, WRITES
from smsdesk.api.v1.sms_openapi import SMS_PATH_ITEM, SMS_SCHEMAS
from smsdesk.contract import errors, examples
from smsdesk.store.api_keys import KEPT

OPENAPI_PATH = "/apps/api/v1/openapi.json"
DOCS_PATH = "/apps/api/v1/docs"
EXAMPLES_PATH = "/apps/api/v1/examples.json"

_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>smsdesk API</title>
<link rel="stylesheet" href="{DOCS_PATH}/assets/swagger-ui.css">
<link rel="icon" href="{DOCS_PATH}/assets/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{DOCS_PATH}/assets/swagger-ui-bundle.js"></script>
<script src="{DOCS_PATH}/start.js"></script>
</body>
</html>
"""

_START = f"""SwaggerUIBundle({{url: "{OPENAPI_PATH}", dom_id: "#swagger-ui", deepLinking: true,
  tryItOutEnabled: true, persistAuthorization: true, validatorUrl: null}});
"""

# The page's own styles are set from its script, which a policy counts as inline.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    "description": "The same key and request give the first answer again, byte for byte, and do nothing; for "
    f"{KEPT.days} days. A request that was refused leaves no key.",
}
_WRITE_REFUSALS = {
    str(status): {
        "description": "; ".join(error.message for error in errors().values() if error.status == status),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorObject"}}},
    }
    for status in (409, 413, 415, 422, 500)
}
_PAGE_HEADERS = {
    "total": {"schema": {"type": "integer"}, "description": "How many there are on all pages."},
    "link": {"schema": {"type": "string"}, "description": "The neighbouring pages (RFC 8288)."},
}


def openapi_config() -> OpenAPIConfig:
    """What the framework generates its part of the document with; its own pages are off."""
    return OpenAPIConfig(
        title="smsdesk",
        version=version("smsdesk"),
        description="The SMS channel of a contact center. `POST /apps/api/v1/sms` and its answers are those of CCAI "
        "Platform's Apps API; the user name is the subdomain, the password is an API token.",
        components=Components(security_schemes={"basic": SecurityScheme(type="http", scheme="basic")}),
        security=[{"basic": []}],
        render_plugins=[],
        use_handler_docstrings=True,
    )


def openapi_document(framework_part: dict[str, Any]) -> dict[str, Any]:
    """The whole document: the framework's routes with what all of them share, and the quick one that lies in front."""
    document = dict(framework_part)
    document["paths"] = {
        "/apps/api/v1/sms": SMS_PATH_ITEM,
        **{
            path: {method: _operation(path, method, operation) for method, operation in item.items()}
            for path, item in framework_part["paths"].items()
        },
    }
    components = dict(framework_part["components"])
    components["schemas"] = {**components.get("schemas", {}), **SMS_SCHEMAS}
    document["components"] = components
    return document


def _operation(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """A route with what is so for all writes, or for all lists."""
    if method.upper() in WRITES and path.startswith(PREFIX):
        responses = {**_WRITE_REFUSALS, **operation["responses"]}
        return {
            **operation,
            "parameters": [*operation.get("parameters", []), _KEY],
            "responses": dict(sorted(responses.items())),
        }
    if {"page", "per"} <= {one["name"] for one in operation.get("parameters", [])}:
        found = {**operation["responses"]["200"], "headers": _PAGE_HEADERS}
        return {**operation, "responses": {**operation["responses"], "200": found}}
    return operation


@get(OPENAPI_PATH, include_in_schema=False)
async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The OpenAPI 3.1 document."""
    document = openapi_document(request.app.openapi_schema.to_schema())
    return Response(msgspec.json.encode(document), media_type="application/json")


@get(DOCS_PATH, include_in_schema=False, media_type=MediaType.HTML)
async def page() -> Response[str]:
    """The page to read and try the API."""
    return Response(_PAGE, media_type=MediaType.HTML, headers={"content-security-policy": _POLICY})


@get(f"{DOCS_PATH}/start.js", include_in_schema=False)
async def start() -> Response[str]:
    """The page's one script of our own."""
    return Response(_START, media_type="text/javascript")


@get(EXAMPLES_PATH, include_in_schema=False)
async def examples_json() -> Response[bytes]:
    """The examples of the page, in its order, for whoever wants to try them: each request and its answer as text."""
    shown = [{"name": one.name, "title": one.title, "status": one.status, "request": one.request} for one in examples()]
    return Response(msgspec.json.encode(shown), media_type="application/json")


def docs_routes() -> list[HTTPRouteHandler | Router]:
    """The document, the page and its parts."""
    assets = create_static_files_router(
        f"{DOCS_PATH}/assets", directories=[swagger_ui_bundle.swagger_ui_path], include_in_schema=False
    )
    return [openapi_json, examples_json, page, start, assets]
