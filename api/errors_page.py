"""/docs/errors: every problem code with its status and what to do about it; the same table goes into docs/errors.md."""

from __future__ import annotations

import re
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.docs import HEADERS
from api.problems import PROBLEMS

router = APIRouter(include_in_schema=False)

INTRODUCTION = (
    "Every refusal is a problem document (RFC 9457, `application/problem+json`). Its `code` never changes its meaning; the "
    "words in `detail` are for people and may. `errors` lists each wrong field with a JSON pointer; a file's lines are "
    "`/lines/n`, the header being line 1. A failed operation carries the same document under `error`."
)
STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.45rem .7rem;border-bottom:1px solid #d9dee5}
td{vertical-align:top}code{font-size:.95em}tr:target{background:#fff3c4}a{color:inherit}
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Allotment: problem codes</title>
<link rel="stylesheet" href="/docs/errors.css">
</head>
<body>
<h1>Problem codes</h1>
<p>{introduction}</p>
<table>
<thead><tr><th>Code</th><th>Status</th><th>Title</th><th>What to do</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p><a href="/docs">All calls</a></p>
</body>
</html>
"""
ROW = (
    '<tr id="{code}"><td><a href="#{code}"><code>{code}</code></a></td>'
    "<td>{status}</td><td>{title}</td><td>{remedy}</td></tr>"
)


@router.get("/docs/errors")
def read_errors() -> Response:
    """The catalogue; `#code` leads to a code."""
    return HTMLResponse(page(), headers=HEADERS)


@router.get("/docs/errors.css")
def read_style() -> Response:
    """How it looks."""
    return Response(STYLE, media_type="text/css", headers=HEADERS)


def page() -> str:
    """The catalogue as HTML."""
    rows = "\n".join(
        ROW.format(code=code, status=one.status, title=escape(one.title), remedy=_coded(one.remedy))
        for code, one in PROBLEMS.items()
    )
    return PAGE.format(introduction=_coded(INTRODUCTION), rows=rows)


def _coded(text: str) -> str:
    """HTML of a text with `code` in it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def markdown() -> str:
    """The catalogue as Markdown."""
    rows = [
        f'| <a id="{code}"></a>`{code}` | {one.status} | {one.title} | {one.remedy.replace("|", "/")} |'
        for code, one in PROBLEMS.items()
    ]
    table = ["| code | status | title | what to do |", "|---|---|---|---|", *rows]
    return "\n".join(["# Problem codes", "", INTRODUCTION, "", *table, ""])
