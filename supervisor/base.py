"""The ground under our own processes: Postgres with its newest tables, and Temporal with its namespace."""

import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import psycopg

from settings import Settings
from supervisor import cluster as clusters
from supervisor import engine as engines
from supervisor import parts, ports, postgres, temporal_binaries
from supervisor.console import Console
from supervisor.crew import Crew
from supervisor.engine import Engine
from supervisor.errors import CannotStart
from supervisor.home import Addresses, Home
from supervisor.process import Child, Spec

PORTS = (
    "postgres",
    "temporal",
    "temporal-http",
    "temporal-metrics",
    "provider",
    "mail",
    *map(parts.metrics_port_name, parts.METERED),
    *clusters.PORTS,
)


@dataclass(frozen=True)
class Ground:
    """One start of one home: what was asked for, and who carries it out."""

    settings: Settings
    home: Home
    crew: Crew
    console: Console
    ports: dict[str, int]
    engine_name: str

    def say(self, part: str, words: str) -> None:
        self.console.say(part, words)


def survey(settings: Settings, *, home: Home, crew: Crew, console: Console, engine: str | None) -> Ground:
    """Decides engine and ports. The engine is the one asked for, else the one this home has used, else the CLI's."""
    recorded = home.recorded_engine()
    if settings.temporal_address:
        name = engines.EXTERNAL
    else:
        name = engine or (recorded if recorded in engines.NAMES else None) or engines.DEV
        if recorded in engines.NAMES and name != recorded:
            console.say(
                "temporal", f"this home's processes so far live in the {recorded} engine; they stay behind there"
            )
    return Ground(settings, home, crew, console, ports.assign(home.run / "ports.json", PORTS), name)


def start(ground: Ground) -> Addresses:
    """Postgres, then Temporal while the tables are made. Raises CannotStart with one line that says what to do."""
    programs = _find_programs(ground)
    owner_url = _start_postgres(ground)
    if ground.engine_name == engines.NONE:
        app_url = migrate(ground.settings, home=ground.home, owner_url=owner_url)
        return _addresses(ground, owner_url=owner_url, app_url=app_url, address="")
    engine = _start_temporal(ground, programs, owner_url)
    address = engine.address if engine else str(ground.settings.temporal_address)
    namespace = ground.settings.temporal_namespace
    ground.home.record_engine(ground.engine_name)
    # A server that we did not start has no reason to be slow.
    patience = "110" if engine else "15"
    job = ground.crew.begin(parts.registrar("temporal-namespace", "namespace", address, namespace, patience))
    app_url = migrate(ground.settings, home=ground.home, owner_url=owner_url)
    ground.say("postgres", "tables are current")
    _await_temporal(ground, job, engine)
    ground.say("temporal", f"{ground.engine_name} engine answers on {address}")
    return _addresses(ground, owner_url=owner_url, app_url=app_url, address=address)


def migrate(settings: Settings, *, home: Home, owner_url: str) -> str:
    """Brings the tables up to date and returns the app's connection.

    Raises CannotStart for a database not ours or newer, and when its owner may not hand out the rights on it.
    """
    from db import migrate as migrations

    try:
        migrations.upgrade(owner_url)
        if settings.app_database_url is None:
            return migrations.ensure_app_role(owner_url, home.path)
        migrations.grant_rights(owner_url, migrations.login_of(settings.app_database_url))
    except (migrations.ForeignDatabase, migrations.NewerSchema, ValueError) as refused:
        raise CannotStart(str(refused)) from None
    except psycopg.errors.InsufficientPrivilege as refused:
        words = str(refused).splitlines()[0]
        raise CannotStart(f"the login in DATABASE_URL may not migrate: {words}; see deploy/README.md") from None
    return settings.app_database_url


def _find_programs(ground: Ground) -> tuple[Path, ...]:
    """The programs of the engine; first of all, because building them may take minutes."""

    def run(spec: Spec, seconds: float) -> None:
        ground.crew.run(spec, seconds=seconds, advice="; or install Temporal's CLI >= 1.5 on PATH")

    workshop = temporal_binaries.Workshop(run, lambda words: ground.say("temporal", words))
    if ground.engine_name == engines.DEV:
        return (temporal_binaries.command_line(workshop),)
    if ground.engine_name == engines.CLUSTER:
        return temporal_binaries.server_and_schema_tool(workshop)
    return ()


def _start_postgres(ground: Ground) -> str:
    if ground.settings.database_url:
        url = _plain(ground.settings.database_url)
        postgres.require_external(url)
        ground.say("postgres", f"{_without_password(url)} answers")
        return url
    cluster = postgres.prepare(ground.home, port=ground.ports["postgres"])
    postgres.initialise(cluster, run=ground.crew.run)
    ground.crew.start(cluster.spec())
    maintenance = cluster.url("postgres")
    ground.crew.until(lambda: postgres.answers(maintenance), seconds=60, what="Postgres to answer")
    ground.say(
        "postgres", f"{cluster.binaries.version} answers on 127.0.0.1:{cluster.port}, data in {cluster.place.data}"
    )
    postgres.create_database(maintenance, postgres.DATABASE)
    return cluster.url()


def _start_temporal(ground: Ground, programs: tuple[Path, ...], owner_url: str) -> Engine | None:
    if not programs:
        return None
    if ground.engine_name == engines.DEV:
        namespace = ground.settings.temporal_namespace
        engine = engines.dev(ground.home, program=programs[0], ports=ground.ports, namespace=namespace)
    else:
        clusters.install(ground.home, tool=programs[1], owner_url=owner_url, run=ground.crew.run)
        engine = clusters.cluster(ground.home, server=programs[0], ports=ground.ports, owner_url=owner_url)
    ground.crew.start(engine.spec)
    return engine


def _await_temporal(ground: Ground, job: Child, engine: Engine | None) -> None:
    ground.crew.finish(job, seconds=120)
    if engine:
        engine.settled()


def _addresses(ground: Ground, *, owner_url: str, app_url: str, address: str) -> Addresses:
    settings = ground.settings
    return Addresses(
        engine=ground.engine_name,
        database_url=owner_url,
        app_database_url=app_url,
        temporal_address=address,
        temporal_namespace=settings.temporal_namespace,
        provider_url=settings.provider_url or f"http://127.0.0.1:{ground.ports['provider']}",
        smtp_url=settings.smtp_url or f"smtp://127.0.0.1:{ground.ports['mail']}",
        api_url=f"http://127.0.0.1:{settings.port}",
        build_id=parts.build_id(settings),
        metrics={
            name: f"http://127.0.0.1:{ground.ports[parts.metrics_port_name(name)]}/metrics" for name in parts.METERED
        },
    )


def _plain(url: str) -> str:
    """The spelling of libpq; SQLAlchemy's `postgresql+psycopg://` is understood as well."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def _without_password(url: str) -> str:
    words = urllib.parse.urlsplit(url)
    return f"{words.hostname or 'DATABASE_URL'}:{words.port or 5432}{words.path}"
