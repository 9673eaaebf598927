"""/docs: the API description for people, with everything it needs on board: no other host is asked for anything."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.problems import Rejected

router = APIRouter(include_in_schema=False)

# Nothing inline is run or styled by, and nothing is loaded from or sent to anywhere else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Allotment API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """window.addEventListener("load", function () {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayOperationId: true,
    displayRequestDuration: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: true,
    showExtensions: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout"
  });
});
"""


@router.get("/docs")
def read_docs() -> Response:
    """The page that draws /openapi.json."""
    return HTMLResponse(PAGE, headers=HEADERS)


@router.get("/docs/start.js")
def read_start() -> Response:
    """What starts the drawing: a file of its own, because the policy runs nothing inline."""
    return Response(START, media_type="text/javascript", headers=HEADERS)


@router.get("/docs/{name}")
def read_asset(name: str) -> Response:
    """Swagger UI's own files, from the installed package."""
    if name not in ASSETS:
        raise Rejected("not_found", f"no page {name!r} here"[:200])
    content = (files("fastapi_swagger.resources") / name).read_bytes()
    headers = {**HEADERS, "Cache-Control": "public, max-age=86400"}
    return Response(content, media_type=ASSETS[name], headers=headers)
