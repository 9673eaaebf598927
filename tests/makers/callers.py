"""Who calls the API in a test: a role's token, an API key, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

CSV = "text/csv"


@dataclass(frozen=True)
class Caller:
    """The API as one person sees it."""

    http: TestClient
    headers: Mapping[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
        """Any request; `json`, `content`, `data`, `files` and `params` as the client library knows them."""
        return self.http.request(method, path, headers={**self.headers, **(headers or {})}, **more)

    def get(self, path: str, **more: Any) -> Response:
        """GET."""
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Response:
        """POST of JSON."""
        return self.call("POST", path, **({"json": body} if body is not None else {}), **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Response:
        """PUT of JSON."""
        return self.call("PUT", path, **({"json": body} if body is not None else {}), **more)

    def delete(self, path: str, **more: Any) -> Response:
        """DELETE."""
        return self.call("DELETE", path, **more)

    def form(self, path: str, **fields: str) -> Response:
        """POST of a form."""
        return self.call("POST", path, data=fields)

    def upload(self, path: str, content: bytes, *, fields: Mapping[str, str] | None = None, **more: Any) -> Response:
        """POST of a CSV file."""
        return self.call("POST", path, files={"file": ("list.csv", content, CSV)}, data=dict(fields or {}), **more)

    def made(self, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a POST that must succeed."""
        answer = self.post(path, body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def read(self, path: str, **more: Any) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def everything(self, path: str, *, limit: int = 200) -> list[Any]:
        """Every item of a list, page by page."""
        found: list[Any] = []
        url = f"{path}{'&' if '?' in path else '?'}limit={limit}"
        answer = self.read(url)
        found += answer["data"]
        while answer["has_more"]:
            answer = self.read(f"{url}&after={answer['next']}")
            found += answer["data"]
        return found


def with_token(http: TestClient, token: str) -> Caller:
    """Somebody with an access token."""
    return Caller(http, {"Authorization": f"Bearer {token}"})


def with_key(http: TestClient, key: str) -> Caller:
    """A program with an API key."""
    return Caller(http, {"X-API-Key": key})


def refusal(answer: Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def faults(answer: Response) -> list[tuple[str, str]]:
    """Pointer and code of each of a problem's entries."""
    return [(entry["pointer"], entry["code"]) for entry in answer.json()["errors"]]
