"""Figures for Prometheus about the API's own requests."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram
from starlette.types import Scope

REQUESTS = Counter("allotment_requests_total", "Requests by route, method and status", ["route", "method", "status"])
SECONDS = Histogram(
    "allotment_request_seconds",
    "Seconds to answer, by route and method",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def count_request(scope: Scope, status: int, seconds: float) -> None:
    """Count by the route's pattern, never by the path asked for: ids would make a series each."""
    route = getattr(scope.get("route"), "path", "none")
    _counter(route, scope["method"], status).inc()
    _histogram(route, scope["method"]).observe(seconds)


@cache
def _counter(route: str, method: str, status: int) -> Counter:
    return REQUESTS.labels(route, method, str(status))


@cache
def _histogram(route: str, method: str) -> Histogram:
    return SECONDS.labels(route, method)
