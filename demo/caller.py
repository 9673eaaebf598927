"""One person at the API: a key on every change, patience with what is busy, and refusals by their code."""

import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

Json = dict[str, Any]

PATIENCE = 180.0
"""Seconds after which an operation, or a document, counts as lost."""
TRIES = 40
ENDED = ("succeeded", "failed", "cancelled")
BUSY = ("request_in_progress", "unavailable", "document_pending")


class Refusal(Exception):
    """The API said no: a problem document, or a failed operation's error."""

    def __init__(self, asked: str, *, status: int, problem: Json) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", ""))
        super().__init__(f"{asked}: {status} {self.code}: {problem.get('detail', '')} {problem.get('errors', '')}")


class Office:
    """What all callers share: how many requests there were, and whether somebody wants to go home."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.requests = 0
        self.repeated = 0

    def count(self, *, repeated: bool) -> None:
        """One more request. Raises KeyboardInterrupt once the office closes, in whatever thread."""
        if self.closing.is_set():
            raise KeyboardInterrupt
        with self._lock:
            self.requests += 1
            self.repeated += repeated

    def pause(self, seconds: float) -> None:
        """Sleeps, unless the office closes meanwhile."""
        if self.closing.wait(max(seconds, 0)):
            raise KeyboardInterrupt


@dataclass(frozen=True)
class Caller:
    """The API as one login, or one key, sees it; threads may share it."""

    http: httpx2.Client
    headers: Mapping[str, str] = field(default_factory=dict)
    office: Office = field(default_factory=Office)

    def as_person(self, *, email: str, password: str) -> "Caller":
        """Logs somebody in."""
        form = {"grant_type": "password", "username": email, "password": password}
        token = self._sent("POST", "/api/auth/token", data=form).json()["access_token"]
        return Caller(self.http, {"Authorization": f"Bearer {token}"}, self.office)

    def as_program(self, key: str) -> "Caller":
        """Somebody with an API key."""
        return Caller(self.http, {"X-API-Key": key}, self.office)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET."""
        return self._sent("GET", path, params=params).json()

    def file(self, path: str, **params: Any) -> bytes:
        """A document, waited for."""
        return self._sent("GET", path, params=params).content

    def everything(self, path: str, **params: Any) -> list[Json]:
        """Every item of a list, page by page."""
        page = self.get(path, limit=200, **params)
        found: list[Json] = page["data"]
        while page["has_more"]:
            page = self.get(path, limit=200, after=page["next"], **params)
            found += page["data"]
        return found

    def post(self, path: str, body: Any = None, *, key: str, **params: Any) -> Any:
        """The JSON of a POST that does something at once; the key makes asking again harmless."""
        return self._sent("POST", path, json=body, params=params, headers={"Idempotency-Key": key}).json()

    def preview(self, path: str, body: Any) -> Any:
        """What a POST would do."""
        return self._sent("POST", path, json=body, params={"preview": "true"}).json()

    def put(self, path: str, body: Any) -> Any:
        """The JSON of a PUT."""
        return self._sent("PUT", path, json=body).json()

    def upload(self, path: str, content: bytes, *, key: str, name: str) -> Any:
        """The JSON of a POST of a CSV file."""
        files = {"file": (name, content, "text/csv")}
        return self._sent("POST", path, files=files, headers={"Idempotency-Key": key}).json()

    def does(self, path: str, body: Any = None, *, key: str, method: str = "POST", **more: Any) -> Json:
        """An action carried by a process, waited for: its operation. Raises Refusal when it fails."""
        return self.ended(self.begins(path, body, key=key, method=method, wait=10, **more))

    def begins(
        self, path: str, body: Any = None, *, key: str, method: str = "POST", wait: int = 0, **more: Any
    ) -> Json:
        """An action carried by a process, not waited for, or for so many seconds only: its operation as it stands."""
        headers = {"Idempotency-Key": key} | ({"Prefer": f"wait={wait}"} if wait else {})
        content = {"json": body} if body is not None else {}
        operation: Json = self._sent(method, path, headers=headers, **content, **more).json()
        return operation

    def ended(self, operation: Json, *, seconds: float = PATIENCE) -> Json:
        """The operation once it has ended. Raises Refusal when it failed, TimeoutError when it does not end."""
        deadline = time.monotonic() + seconds
        while operation["status"] not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{operation['kind']} {operation['id']} is still {operation['status']}")
            self.office.pause(0.4)
            operation = self.get(f"/api/operations/{operation['id']}")
        if operation["status"] != "succeeded":
            raise Refusal(operation["kind"], status=0, problem=operation["error"] or {"code": operation["status"]})
        return operation

    def _sent(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        """The answer, asked for again while the API is busy. Raises Refusal for any other no."""
        for attempt in itertools.count():
            self.office.count(repeated=attempt > 0)
            answer = self._try(method, path, headers={**self.headers, **(headers or {})}, **more)
            if answer is not None and answer.is_success:
                return answer
            problem = _problem(answer)
            if attempt >= TRIES or problem["code"] not in BUSY:
                raise Refusal(f"{method} {path}", status=answer.status_code if answer else 0, problem=problem)
            self.office.pause(min(0.2 * (attempt + 1), 2.0))
        raise AssertionError("counting never ends")

    def _try(self, method: str, path: str, **more: Any) -> httpx2.Response | None:
        """None when nobody answered; with a key on every change it is safe to ask again."""
        try:
            return self.http.request(method, path, **more)
        except httpx2.TransportError:
            return None


def _problem(answer: httpx2.Response | None) -> Json:
    if answer is None:
        return {"code": "unavailable", "detail": "nobody answered"}
    try:
        said: Json = answer.json()
    except ValueError:
        said = {"detail": answer.text[:200]}
    return {"code": "", **said}
