"""The API's description of itself: valid, and whole for every single operation."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from api.app import build
from api.openapi import CREATED, completed, operations
from api.problems import PROBLEMS
from db.transaction import Database
from settings import Settings

APP = build(Settings(build_id="test"), Database("postgresql://nobody@127.0.0.1:1/nothing", size=1, name="description"))
DESCRIPTION = APP.openapi()
OPERATIONS = {f"{method.upper()} {path}": operation for path, method, operation in operations(DESCRIPTION)}
EXEMPLARY = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")

every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))


def faults_of(example: Any, schema: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator({**schema, "components": DESCRIPTION["components"]})
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(example)]


def sent_and_answered(operation: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Where, which media type, what: of the body and of every success."""
    answers = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    places = {"body": operation.get("requestBody", {}), **answers}
    return [(where, kind, content) for where, one in places.items() for kind, content in one.get("content", {}).items()]


def test_the_description_is_valid_openapi() -> None:
    validate(DESCRIPTION)


def test_it_is_served_as_it_is(http: Any, app: FastAPI) -> None:
    answer = http.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == app.openapi()


def test_it_speaks_of_everything_there_is() -> None:
    assert len(OPERATIONS) > 60
    assert "POST /api/purchase-orders/{order_id}/receive" in OPERATIONS


def test_names_of_operations_are_unique() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(names) == len(set(names))


def test_shapes_are_named_for_readers() -> None:
    strange = [name for name in DESCRIPTION["components"]["schemas"] if "__" in name.strip("_")]

    assert not strange


@every_operation
def test_it_says_in_a_line_what_it_does(operation: dict[str, Any]) -> None:
    summary = operation["summary"]

    assert 5 < len(summary) <= 120
    assert summary[0].isupper()
    assert not summary.endswith(".")


@every_operation
def test_it_names_who_may(operation: dict[str, Any]) -> None:
    anonymous = operation.get("x-permission") is None

    assert anonymous == (operation.get("security") == [])


@every_operation
def test_everything_sent_and_answered_has_an_example_that_fits(operation: dict[str, Any]) -> None:
    told = [one for one in sent_and_answered(operation) if one[1] in EXEMPLARY]

    for where, kind, content in told:
        assert "example" in content, f"{where} {kind}"
        assert not faults_of(content["example"], content["schema"]), f"{where} {kind}"


@every_operation
def test_something_of_it_can_be_seen(operation: dict[str, Any]) -> None:
    kinds = {kind for _, kind, _ in sent_and_answered(operation)}

    assert kinds or set(operation["responses"]) & {"204"}


@every_operation
def test_its_refusals_are_known_codes_under_their_status(operation: dict[str, Any]) -> None:
    codes = operation["x-problems"]
    statuses = {status for status in operation["responses"] if int(status) >= 400}

    assert codes
    assert set(codes) <= set(PROBLEMS)
    assert {str(PROBLEMS[code].status) for code in codes} == statuses


@every_operation
def test_every_refusal_has_an_example_that_fits(operation: dict[str, Any]) -> None:
    for code in operation["x-problems"]:
        content = operation["responses"][str(PROBLEMS[code].status)]["content"]

        assert list(content) == ["application/problem+json"]
        told = content["application/problem+json"]["examples"][code]["value"]
        assert told["code"] == code
        assert not faults_of(told, content["application/problem+json"]["schema"])


@every_operation
def test_its_path_can_be_filled_in(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            assert parameter["required"]
            assert parameter["example"]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name.startswith(("POST", "DELETE"))])
def test_what_creates_or_removes_takes_an_idempotency_key(name: str) -> None:
    headers = {parameter["name"] for parameter in OPERATIONS[name].get("parameters", ()) if parameter["in"] == "header"}

    assert ("Idempotency-Key" in headers) == (not name.startswith("POST /api/auth/"))


def test_every_list_is_read_page_by_page() -> None:
    def answer(operation: dict[str, Any]) -> str:
        content = operation["responses"].get("200", {}).get("content", {})
        return str(content.get("application/json", {}).get("schema", {}).get("$ref", ""))

    lists = {name: one for name, one in OPERATIONS.items() if "/Page_" in answer(one)}
    paged = {name for name, one in lists.items() if {"limit", "after"} <= {p["name"] for p in one["parameters"]}}

    assert len(lists) > 15
    assert set(lists) == paged


def test_only_an_order_is_replaced_with_if_match_alone() -> None:
    required = [
        name
        for name, operation in OPERATIONS.items()
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "If-Match" and parameter["required"]
    ]

    assert required == ["PUT /api/purchase-orders/{order_id}"]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "202" in OPERATIONS[name]["responses"]])
def test_what_a_workflow_carries_says_where_to_look_and_what_it_brings(name: str) -> None:
    answer = OPERATIONS[name]["responses"]["202"]

    assert "Location" in answer["headers"]
    example = answer["content"]["application/json"]["example"]
    assert example["object"] == "operation"
    assert example["result"]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "202" in OPERATIONS[name]["responses"]])
def test_a_preview_is_described_where_there_is_one(name: str) -> None:
    parameters = {parameter["name"] for parameter in OPERATIONS[name]["parameters"]}

    assert ("preview" in parameters) == ("200" in OPERATIONS[name]["responses"])


def test_a_missing_example_is_seen() -> None:
    assert faults_of({"amount": 85}, {"$ref": "#/components/schemas/MoneyShape"})


def test_completing_names_the_headers_of_every_write() -> None:
    bare = {
        "paths": {
            "/api/things": {
                "post": {"x-permission": "things:write", "x-problems": ["invalid"], "operationId": "a", "responses": {}}
            }
        },
        "components": {"schemas": {}},
        "info": {},
    }

    told = completed(bare)["paths"]["/api/things"]["post"]

    assert [parameter["name"] for parameter in told["parameters"]] == ["Idempotency-Key"]
    assert "post" in CREATED
