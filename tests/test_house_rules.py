"""The rules of the house that no linter knows, each shown to bite on a planted breach."""

import ast
import statistics
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 400, 50, 8
HOUSE = ("activities", "api", "db", "domain", "gateways", "reports", "supervisor", "workflows")
BESIDE = ("bench", "demo", "oracle", "prove", "seeding", "stand")
FOLDERS = {
    *HOUSE,
    *BESIDE,
    ".ci",
    ".github",
    "bin",
    "deploy",
    "docs",
    "examples",
    "migrations",
    "tests",
    "tools",
    "web",
}
FIRST_PARTY = {*HOUSE, *BESIDE, "cli", "dispatcher", "logs", "settings", "worker"}
COMMITTERS = ("db/transaction.py", "db/migrate.py", "supervisor/", "migrations/", "tests/")
OPTION_NAMES = {
    "heartbeat_timeout",
    "retry_policy",
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "task_queue",
}
# Spelled in halves, so that this file does not break its own rule.
ADDRESSES = tuple(
    "".join(halves)
    for halves in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("proxy.gol", "ang.org"),
        ("registry.", "npmjs"),
        ("--index", "-url"),
        ("--find", "-links"),
    )
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One committed Python file, or a snippet that pretends to be one."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def is_in(self, *places: str) -> bool:
        return self.path.startswith(places)


Rule = Callable[[Source], Iterable[str]]


def files_are_short(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > LONGEST_FILE:
        yield f"{lines} lines"


def functions_are_short(source: Source) -> Iterator[str]:
    for function in source.functions:
        if length(function) > LONGEST_FUNCTION:
            yield f"{function.lineno}: {function.name} has {length(function)} lines"


def modules_say_what_they_are(source: Source) -> Iterator[str]:
    if not ast.get_docstring(source.tree):
        yield "no module docstring"


def everything_is_annotated(source: Source) -> Iterator[str]:
    for function in source.functions:
        if missing := unannotated(function):
            yield f"{function.lineno}: {function.name} does not type {', '.join(missing)}"


def only_the_transaction_commits(source: Source) -> Iterator[str]:
    if source.is_in(*COMMITTERS):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield f"{node.lineno}: commits"


def workflows_pass_their_imports_through(source: Source) -> Iterator[str]:
    # A file that only lists processes is never loaded inside one.
    if not source.is_in("workflows/") or "from temporalio import workflow" not in source.text:
        return
    blocks = [node for node in source.tree.body if is_pass_through(node)]
    inside = {id(node) for block in blocks for node in ast.walk(block)}
    if len(blocks) > 1:
        yield f"{blocks[1].lineno}: a second pass-through block"
    for node in ast.walk(source.tree):
        if is_first_party_import(node) and id(node) not in inside:
            yield f"{getattr(node, 'lineno', 0)}: a first-party import outside the pass-through block"


def amounts_are_never_floats(source: Source) -> Iterator[str]:
    if not source.is_in("domain/", "db/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno}: the float {node.value}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield f"{node.lineno}: float(...)"
        for annotation in annotations_of(node):
            if any(isinstance(part, ast.Name) and part.id == "float" for part in ast.walk(annotation)):
                yield f"{annotation.lineno}: typed float"


def the_clock_is_an_argument(source: Source) -> Iterator[str]:
    if not source.is_in("domain/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow", "monotonic"}:
            yield f"{node.lineno}: asks the clock"


def options_come_from_one_place(source: Source) -> Iterator[str]:
    if not source.is_in("workflows/") or source.path == "workflows/options.py":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and is_activity_call(node):
            named = sorted(OPTION_NAMES & {word.arg for word in node.keywords if word.arg})
            if named:
                yield f"{node.lineno}: sets {', '.join(named)} itself"
            if all(word.arg for word in node.keywords):
                yield f"{node.lineno}: an activity without options from workflows/options.py"


WORKFLOW = "from temporalio import workflow\n"
RULES: dict[Rule, tuple[Source, ...]] = {
    files_are_short: (Source("api/long.py", "\n" * 401),),
    functions_are_short: (Source("api/a.py", "def f() -> None:\n" + "    print()\n" * 50),),
    modules_say_what_they_are: (Source("api/a.py", "import os\n"),),
    everything_is_annotated: (
        Source("api/a.py", "def f(x) -> None: ..."),
        Source("api/a.py", "def f(x: int): ..."),
        Source("api/a.py", "def f(*words, **more: int) -> None: ..."),
    ),
    only_the_transaction_commits: (
        Source("activities/a.py", "conn.commit()"),
        Source("db/booking.py", "conn.commit()"),
    ),
    workflows_pass_their_imports_through: (
        Source("workflows/a.py", f"{WORKFLOW}from domain.money import Money"),
        Source("workflows/a.py", f"{WORKFLOW}def f() -> None:\n    import activities.booking"),
        Source("workflows/a.py", WORKFLOW + "with workflow.unsafe.imports_passed_through():\n    import domain\n" * 2),
    ),
    amounts_are_never_floats: (
        Source("domain/a.py", "FEE = 0.1"),
        Source("domain/a.py", "def f(x: float | None) -> None: ..."),
        Source("db/a.py", "price: list[float] = []"),
        Source("db/a.py", "price = float('1')"),
    ),
    the_clock_is_an_argument: (Source("domain/a.py", "datetime.now(UTC)"), Source("domain/a.py", "date.today()")),
    options_come_from_one_place: (
        Source("workflows/a.py", "workflow.execute_activity(f, x, start_to_close_timeout=t)"),
        Source("workflows/a.py", "workflow.execute_local_activity(f, x)"),
        Source("workflows/a.py", "workflow.start_activity(f, x, task_queue='core', **options.SHORT)"),
    ),
}
ALLOWED = (
    Source(
        "workflows/good.py",
        '''"""Waits."""
from temporalio import workflow
with workflow.unsafe.imports_passed_through():
    from domain.money import Money
    from workflows import options
async def run(self) -> None:
    await workflow.execute_activity("settle", Money, **options.SHORT)
''',
    ),
    Source("domain/good.py", '''"""Refuses floats."""\ndef f(x: object) -> bool:\n    return isinstance(x, float)\n'''),
    Source("db/transaction.py", '''"""Commits."""\nconnection.commit()\n'''),
)
BREACHES = [
    pytest.param(rule, source, id=f"{rule.__name__}-{i}") for rule in RULES for i, source in enumerate(RULES[rule])
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: Rule) -> None:
    breaches = [f"{source.path}: {words}" for source in sources() for words in rule(source)]

    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize(("rule", "planted"), BREACHES)
def test_a_planted_breach_is_seen(rule: Rule, planted: Source) -> None:
    assert list(rule(planted))


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda source: source.path)
def test_what_is_allowed_is_not_refused(allowed: Source) -> None:
    assert [words for rule in RULES for words in rule(allowed)] == []


def test_half_of_all_functions_fit_in_a_glance() -> None:
    lengths = [length(function) for source in sources() if not source.is_in("tests/") for function in source.functions]

    assert statistics.median(lengths) < MEDIAN_FUNCTION


def test_the_median_notices_long_functions() -> None:
    long = Source("api/a.py", "def f() -> None:\n" + "    print()\n" * 8)

    assert statistics.median(length(function) for function in long.functions) >= MEDIAN_FUNCTION


def test_every_folder_is_on_the_map() -> None:
    assert unknown_folders(committed()) == set()


def test_a_folder_off_the_map_is_seen() -> None:
    assert unknown_folders(["services/a.py", "domain/a.py", "README.md"]) == {"services"}


def test_no_committed_file_names_a_registry() -> None:
    found = [f"{path}: {words}" for path in committed() for words in named_addresses(read(path))]

    assert not found, "\n".join(found)


def test_a_named_registry_is_seen() -> None:
    assert list(named_addresses("https://" + ADDRESSES[0] + "/simple"))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def unannotated(function: Function) -> list[str]:
    words = function.args
    named = [*words.posonlyargs, *words.args]
    if named and named[0].arg in {"self", "cls"}:
        named = named[1:]
    rest = [word for word in (words.vararg, words.kwarg) if word]
    missing = [word.arg for word in (*named, *words.kwonlyargs, *rest) if word.annotation is None]
    return missing + (["its result"] if function.returns is None else [])


def annotations_of(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.AnnAssign):
        return [node.annotation]
    if isinstance(node, ast.arg):
        return [node.annotation] if node.annotation else []
    return [node.returns] if isinstance(node, Function) and node.returns else []


def is_pass_through(node: ast.stmt) -> bool:
    return isinstance(node, ast.With) and "imports_passed_through" in ast.unparse(node.items[0].context_expr)


def is_first_party_import(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").split(".")[0] in FIRST_PARTY
    return isinstance(node, ast.Import) and any(name.name.split(".")[0] in FIRST_PARTY for name in node.names)


def is_activity_call(node: ast.Call) -> bool:
    called = ast.unparse(node.func)
    verbs = ("execute_activity", "start_activity", "execute_local_activity", "start_local_activity")
    return called.startswith("workflow.") and called.removesuffix("_method").endswith(verbs)


def unknown_folders(paths: Iterable[str]) -> set[str]:
    return {path.split("/")[0] for path in paths if "/" in path} - FOLDERS


def named_addresses(text: str) -> Iterator[str]:
    return (address for address in ADDRESSES if address in text)


@cache
def committed() -> tuple[str, ...]:
    """What git tracks; where there is no git (an image, an archive), every file that is not made by a tool."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )
    except (OSError, subprocess.CalledProcessError):
        listed = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file() and not is_made(path)]
    return tuple(path for path in listed if path and (ROOT / path).is_file())


def is_made(path: Path) -> bool:
    return bool({".venv", "var", "out", "__pycache__", ".git"} & set(path.relative_to(ROOT).parts)) or "_cache" in str(
        path
    )


@cache
def sources() -> tuple[Source, ...]:
    return tuple(Source(path, read(path)) for path in committed() if path.endswith(".py"))


def read(path: str) -> str:
    return (ROOT / path).read_text(errors="replace")
