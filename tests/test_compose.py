"""docker-compose.yml and the image, checked without an engine: the schema, every setting, every link, and the roles it makes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import AliasChoices

from settings import ROOT, Settings
from supervisor import base, postgres, postgres_place
from supervisor.engine import DYNAMIC_CONFIG
from supervisor.errors import CannotStart
from supervisor.home import Home
from supervisor.parts import WORKERS
from supervisor.postgres import Cluster
from supervisor.registrar import DEPLOYMENT
from tests import ground

Service = Mapping[str, Any]

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("allotment:")}
THEIRS = {name: service for name, service in SERVICES.items() if name not in OURS}
JOBS = ("migrate", "temporal-namespace", "temporal-schema", "temporal-version")
TOOLS = (ROOT / "tools/temporal/go.mod").read_text()

# What each image's own documentation names; deploy/README.md says where.
DOCUMENTED = {
    "postgres": {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "PGDATA"},
    "temporalio/server": {
        "DB",
        "DB_PORT",
        "DBNAME",
        "VISIBILITY_DBNAME",
        "POSTGRES_SEEDS",
        "POSTGRES_USER",
        "POSTGRES_PWD",
        "NUM_HISTORY_SHARDS",
        "BIND_ON_IP",
        "LOG_LEVEL",
        "DYNAMIC_CONFIG_FILE_PATH",
        "TEMPORAL_ALLOW_NO_AUTH",
    },
    "temporalio/admin-tools": {
        "SQL_PLUGIN",
        "SQL_HOST",
        "SQL_PORT",
        "SQL_USER",
        "SQL_PASSWORD",
        "TEMPORAL_ADDRESS",
        "TEMPORAL_NAMESPACE",
    },
    "temporalio/ui": {
        "TEMPORAL_ADDRESS",
        "TEMPORAL_UI_PORT",
        "TEMPORAL_CORS_ORIGINS",
        "TEMPORAL_DEFAULT_NAMESPACE",
        "TEMPORAL_DISABLE_NEWS_FETCH",
    },
    "redis": set(),
    "axllent/mailpit": {"MP_DATABASE", "MP_MAX_MESSAGES", "MP_DISABLE_VERSION_CHECK"},
}


def image_of(service: Service) -> str:
    return str(service["image"]).rpartition(":")[0]


def names_of_settings() -> set[str]:
    """Every variable that settings.py reads."""
    prefix = Settings.model_config["env_prefix"]
    found = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        found |= (
            {str(one).upper() for one in alias.choices}
            if isinstance(alias, AliasChoices)
            else {f"{prefix}{name.upper()}"}
        )
    return found


def unknown_settings(service: Service) -> set[str]:
    return set(service.get("environment", ())) - names_of_settings()


def undocumented(service: Service) -> set[str]:
    """Variables that neither the image nor a script we mount into it reads."""
    scripts = [ROOT / volume.split(":")[0] for volume in service.get("volumes", ()) if volume.startswith("./")]
    read_by_scripts = set(re.findall(r"\$\{?([A-Z_]+)", "".join(path.read_text() for path in scripts)))
    return set(service.get("environment", ())) - DOCUMENTED[image_of(service)] - read_by_scripts


def faults_of(document: Any) -> list[str]:
    schema = json.loads((files("check_jsonschema.builtin_schemas") / "vendor/compose-spec.json").read_text())
    return [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(document)
    ]


def plain(text: str) -> str:
    """With every ${NAME:-default} as it is when nothing is set."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def test_the_file_keeps_to_the_compose_specification() -> None:
    assert not faults_of(COMPOSE)


def test_a_misspelled_key_is_seen() -> None:
    assert faults_of({"services": {"api": {"image": "allotment:1", "enviroment": {}}}})


def test_nothing_that_it_takes_is_missing() -> None:
    images = {image_of(service) for service in SERVICES.values()}

    assert images >= {
        "postgres",
        "temporalio/server",
        "temporalio/admin-tools",
        "temporalio/ui",
        "redis",
        "axllent/mailpit",
    }
    assert set(OURS) >= {"api", "dispatcher", "migrate", "provider", "worker", "worker-documents"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name: str) -> None:
    tag = plain(SERVICES[name]["image"]).rpartition(":")[2]

    assert re.match(r"v?\d+\.\d+", tag), tag


@pytest.mark.parametrize("name", OURS)
def test_our_parts_are_told_only_what_settings_know(name: str) -> None:
    assert not unknown_settings(OURS[name])


def test_a_setting_nobody_reads_is_seen() -> None:
    assert unknown_settings({"environment": {"ALLOTMENT_REDIS_URL": "redis://redis"}}) == {"ALLOTMENT_REDIS_URL"}


@pytest.mark.parametrize("name", OURS)
def test_what_our_parts_are_told_can_be_meant(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in names_of_settings():
        monkeypatch.delenv(variable, raising=False)
    for variable, value in OURS[name]["environment"].items():
        monkeypatch.setenv(variable, plain(str(value)))

    told = Settings()

    assert told.temporal_address == "temporal:7233"
    assert told.provider_url == "http://provider:8200"


@pytest.mark.parametrize("name", THEIRS)
def test_other_images_are_told_only_what_their_documentation_names(name: str) -> None:
    assert not undocumented(THEIRS[name])


def test_an_undocumented_variable_is_seen() -> None:
    assert undocumented({"image": "temporalio/server:1.31.2", "environment": {"POSTGRES_PASSWORD": "x"}})


def test_only_who_migrates_may_change_the_tables() -> None:
    owners = {name for name, service in OURS.items() if "DATABASE_URL" in service["environment"]}

    assert owners == {"migrate", "tools"}


@pytest.mark.parametrize("name", SERVICES)
def test_whom_a_part_waits_for_can_get_there(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert SERVICES[other]["healthcheck"]["test"]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert other in JOBS


@pytest.mark.parametrize("name", JOBS)
def test_a_job_that_is_done_stays_done(name: str) -> None:
    assert SERVICES[name]["restart"].startswith("on-failure")


@pytest.mark.parametrize("name", JOBS)
def test_somebody_waits_for_every_job(name: str) -> None:
    """Else `docker compose up --wait` takes the end of a job for a failure."""
    conditions = [service.get("depends_on", {}).get(name, {}).get("condition") for service in SERVICES.values()]

    assert "service_completed_successfully" in conditions


def test_volumes_are_named() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}

    assert {name for name in used if not name.startswith("./")} == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", SERVICES)
def test_mounted_files_exist_and_are_read_only(name: str) -> None:
    for volume in SERVICES[name].get("volumes", ()):
        if volume.startswith("./"):
            path, _, mode = volume.split(":")
            assert (ROOT / path).is_file()
            assert mode == "ro"


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_published_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", OURS)
def test_our_parts_have_no_privileges(name: str) -> None:
    part = OURS[name]

    assert part["read_only"]
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]


def test_workers_poll_the_queues_that_the_supervisor_gives_them() -> None:
    commands = {name: SERVICES[name]["command"] for name in ("worker", "worker-documents")}
    queues = {tuple(word for word in words if word in {"core", "bulk", "documents"}) for words in commands.values()}

    assert queues == set(WORKERS.values())


def test_temporal_is_the_version_that_the_tests_run() -> None:
    built = re.search(r"go\.temporal\.io/server v(\S+)", TOOLS)

    assert built
    tags = {
        SERVICES[name]["image"].rpartition(":")[2] for name in ("temporal", "temporal-schema", "temporal-namespace")
    }
    assert tags == {built[1]}


def test_temporal_is_set_as_our_own_engine_is() -> None:
    values = yaml.safe_load((ROOT / "deploy/temporal/dynamic-config.yaml").read_text())

    assert {name: given[0]["value"] for name, given in values.items()} == DYNAMIC_CONFIG


def test_postgres_is_made_as_our_own_is(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    cluster = postgres.prepare(home, port=1)
    ours = set(postgres._initdb(cluster, tmp_path, tmp_path).command)
    theirs = set(SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split())
    postgres_place.forget(home)

    assert theirs <= ours


def test_the_release_is_the_one_in_pyproject() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert {plain(part["image"]) for part in OURS.values()} == {f"allotment:{version}"}
    assert plain(SERVICES["temporal-version"]["command"][-1]) == version
    assert SERVICES["temporal-version"]["entrypoint"][-1] == "supervisor.registrar"
    assert DEPLOYMENT == "allotment"


def test_the_image_runs_as_nobody_in_particular_on_hashed_packages() -> None:
    lines = (ROOT / "Dockerfile").read_text()

    assert len(re.findall(r"^FROM ", lines, re.MULTILINE)) == 2
    assert "--require-hashes" in lines
    assert re.search(r"^USER allotment$", lines, re.MULTILINE)
    assert re.search(r"^ARG PYTHON=3\.\d+\.\d+-slim", lines, re.MULTILINE)


def test_the_image_has_everything_that_the_parts_import() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    modules = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}
    left_out = {"tests", "bench", "demo", "docs", "prove", "stand"}

    assert all((ROOT / name).exists() for name in let_in)
    assert {name.removesuffix(".py") for name in let_in} >= modules - left_out
    assert let_in >= {"migrations", "requirements.lock", "pyproject.toml"}


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A Postgres as the image makes it: its superuser is called postgres, and nothing is in it."""
    monkeypatch.setattr(postgres, "OWNER", "postgres")
    home = Home(tmp_path_factory.mktemp("compose"))
    home.make()
    with ground.a_server(home) as (cluster, _):
        yield cluster


def run_init_script(cluster: Cluster, passwords: Mapping[str, str]) -> None:
    """The SQL of deploy/postgres/init.sh, each statement as psql would send it."""
    script = (ROOT / "deploy/postgres/init.sh").read_text()
    body = script.split("<<'SQL'\n")[1].split("\nSQL\n")[0]
    for name, password in passwords.items():
        body = body.replace(f":'{name}'", f"'{password}'")
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        for statement in re.sub(r"^--.*$", "", body, flags=re.MULTILINE).split(";"):
            if statement.strip():
                connection.execute(statement.encode())


def login(cluster: Cluster, user: str, password: str, database: str = "allotment") -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{cluster.port}/{database}"


def test_the_roles_of_the_init_script_can_do_their_work_and_no_more(fresh_server: Cluster, tmp_path: Path) -> None:
    run_init_script(fresh_server, {"owner_password": "o", "app_password": "a", "temporal_password": "t"})
    owner, app = login(fresh_server, "allotment", "o"), login(fresh_server, "allotment_app", "a")
    settings = Settings(app_database_url=app)

    told = [base.migrate(settings, home=Home(tmp_path), owner_url=owner) for _ in range(2)]

    assert told == [app, app]
    with psycopg.connect(app, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM find_tenants()").fetchone() == (0,)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("20s",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(login(fresh_server, "temporal", "t"))
    with psycopg.connect(login(fresh_server, "temporal", "t", "temporal_visibility")) as connection:
        connection.execute("CREATE TABLE theirs (id int)")


def test_an_owner_who_may_not_hand_out_rights_is_told_so(fresh_server: Cluster, tmp_path: Path) -> None:
    run_init_script(fresh_server, {"owner_password": "o", "app_password": "a", "temporal_password": "t"})
    with psycopg.connect(fresh_server.url("postgres"), autocommit=True) as connection:
        connection.execute("REVOKE allotment_app FROM allotment")
    settings = Settings(app_database_url=login(fresh_server, "allotment_app", "a"))

    with pytest.raises(CannotStart, match="may not migrate"):
        base.migrate(settings, home=Home(tmp_path), owner_url=login(fresh_server, "allotment", "o"))
