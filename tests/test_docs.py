"""The documentation keeps up with the code: generated pages, the glossary's streets, links, targets, rules and pages served."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.problems import PROBLEMS
from docs.write import PAGES, machines
from settings import ROOT, Settings
from tests.test_house_rules import ROOT as HOUSE
from tests.test_house_rules import committed
from workflows.registry import PROCESSES

PAGES_OF_OURS = sorted(
    path for path in committed() if path.endswith(".md") and not path.startswith(("reports/fonts", "examples"))
)
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
PARTS = ("Context", "Decision", "Consequences", "Alternatives", "Enforced by")
STREETS = sorted(
    {path.stem for room in ("domain", "db", "activities") for path in (ROOT / room).glob("*.py")} - {"__init__"}
)
LONGEST_DECISION = 60
ELSEWHERE = re.compile(r"""(?:src|href|url)\s*[=(:]\s*["']?(?:https?:)?//""", re.IGNORECASE)


def links_of(text: str) -> Iterator[str]:
    """Where a page points to, but for the web and its own headings."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if not target.startswith(("http:", "https:", "#")):
            yield target.split("#")[0]


def dead_links(page: Path, text: str) -> list[str]:
    return [target for target in links_of(text) if not (page.parent / target).exists()]


def without_entry(streets: list[str], glossary: str) -> list[str]:
    return [street for street in streets if f"`{street}`" not in glossary]


def paths_named(text: str) -> list[str]:
    """Files and folders of ours that a page names in code."""
    rooms = "|".join(sorted({path.split("/")[0] for path in committed() if "/" in path}))
    return re.findall(rf"`((?:{rooms})/[\w./*-]*)`", text)


def targets_of(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))


@pytest.mark.parametrize("name", PAGES)
def test_what_is_made_from_the_code_is_current(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name](), "run: make docs"


def test_every_street_is_in_the_glossary() -> None:
    assert not without_entry(STREETS, (ROOT / "docs/glossary.md").read_text())


def test_a_street_without_an_entry_is_seen() -> None:
    assert without_entry(["alley"], (ROOT / "docs/glossary.md").read_text()) == ["alley"]


def test_the_glossary_has_one_entry_for_a_word() -> None:
    rows = re.findall(r"^\| (.+?) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    words = [word.strip(" `") for row in rows for word in row.split(",") if word.strip(" `-") not in ("", "word")]

    assert len(words) == len(set(words))


@pytest.mark.parametrize("page", PAGES_OF_OURS)
def test_every_link_leads_somewhere(page: str) -> None:
    assert not dead_links(ROOT / page, (ROOT / page).read_text())


def test_a_dead_link_is_seen() -> None:
    assert dead_links(ROOT / "README.md", "see [there](docs/nowhere.md)") == ["docs/nowhere.md"]


@pytest.mark.parametrize("page", PAGES_OF_OURS)
def test_every_file_named_is_there(page: str) -> None:
    named = paths_named((ROOT / page).read_text())

    assert not [path for path in named if not list(ROOT.glob(path.rstrip("/"))) and "<" not in path and "*" not in path]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_short_and_whole(page: Path) -> None:
    text = page.read_text()

    assert text.count("\n") <= LONGEST_DECISION
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(PARTS)
    assert text.startswith(f"# {page.stem[:4]} ")


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(page.stem[:4]) for page in DECISIONS]

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_what_enforces_a_decision_exists(page: Path) -> None:
    enforcers = page.read_text().split("## Enforced by")[1]

    assert [path for path in paths_named(enforcers) if (ROOT / path).exists()]


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.__name__)
def test_every_process_is_on_the_map(process: type) -> None:
    name = getattr(process, "__temporal_workflow_definition").name

    assert f"| `{name}` |" in (ROOT / "docs/processes.md").read_text()


def test_every_table_of_states_is_drawn() -> None:
    drawn = (ROOT / "docs/states.md").read_text()

    assert len(machines()) >= 9
    assert drawn.count("stateDiagram-v2") == len(machines())


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_targets_that_pages_speak_of_exist(page: str) -> None:
    spoken = set(re.findall(r"`make ([a-z]+)|^make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE))
    spoken = {name for pair in spoken for name in pair if name}

    assert spoken
    assert spoken <= targets_of((ROOT / "Makefile").read_text())


def test_the_readme_lists_every_target() -> None:
    readme = (ROOT / "README.md").read_text()

    left_out = {name for name in targets_of((ROOT / "Makefile").read_text()) if f"`make {name}`" not in readme}
    assert left_out <= {"engines", "help", "setup"}


def test_the_readme_names_every_variable_that_people_set() -> None:
    known = {name.upper() for name in Settings.model_fields}
    named = {name.removeprefix("ALLOTMENT_") for name in re.findall(r"`([A-Z_]+)`", (ROOT / "README.md").read_text())}

    assert {name for name in named if "_" in name or name in {"HOME", "HOST", "PORT"}} <= known
    assert named >= {"HOME", "PORT", "DATABASE_URL", "TEMPORAL_ADDRESS", "SMTP_URL"}


def test_the_map_of_the_house_has_every_room() -> None:
    readme = (ROOT / "README.md").read_text().split("## The map of the house")[1].split("## ")[0]
    folders = {path.split("/")[0] for path in committed() if "/" in path and not path.startswith(".")}

    assert not [folder for folder in folders - {"docs", "bench", "seeding"} if f"]({folder})" not in readme]


@pytest.mark.parametrize("picture", ["receipt.png", "profit.png"])
def test_pictures_are_pictures_and_small(picture: str) -> None:
    content = (ROOT / "docs/pictures" / picture).read_bytes()

    assert content.startswith(b"\x89PNG")
    assert len(content) < 300_000


def test_the_licence_is_the_one_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (HOUSE / "LICENSE").read_text()


def test_the_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))

    assert "## [Unreleased]" in text
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_pages_of_the_api_need_nobody_else(http: TestClient) -> None:
    for path in ("/docs", "/docs/start.js", "/docs/errors"):
        answer = http.get(path)

        assert answer.status_code == 200
        assert not ELSEWHERE.search(answer.text)
        assert "script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]


def test_a_page_that_asks_somebody_else_is_seen() -> None:
    assert ELSEWHERE.search('<script src="https://cdn.example/bundle.js"></script>')


def test_nothing_is_run_or_styled_inside_a_page(http: TestClient) -> None:
    scripts = [
        script
        for path in ("/docs", "/docs/errors")
        for script in re.findall(r"<script([^>]*)>(.*?)</script>", http.get(path).text)
    ]

    assert scripts
    assert not [path for path in ("/docs", "/docs/errors") if re.search(r"<style|style=", http.get(path).text)]
    assert http.get("/docs/errors.css").headers["content-type"].startswith("text/css")
    assert all("src=" in attributes and not body.strip() for attributes, body in scripts)


def test_what_the_page_draws_with_comes_from_the_installed_package(http: TestClient) -> None:
    page = http.get("/docs").text
    wanted = re.findall(r'(?:src|href)="(/docs/[^"]+)"', page)

    for path in wanted:
        answer = http.get(path)
        assert answer.status_code == 200
        packed = files("fastapi_swagger.resources") / path.rpartition("/")[2]
        assert path.endswith("start.js") or answer.content == packed.read_bytes()
    assert len(wanted) == 4


def test_an_unknown_page_is_a_problem(http: TestClient) -> None:
    answer = http.get("/docs/secrets.txt")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_front_door_leads_to_the_docs(http: TestClient) -> None:
    assert str(http.get("/").url).endswith("/docs")


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_has_its_place_in_the_catalogue(http: TestClient, code: str) -> None:
    page = http.get("/docs/errors").text

    assert f'id="{code}"' in page
