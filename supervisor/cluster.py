"""The real Temporal server on the home's own Postgres: its role, its two databases, their tables, its configuration."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from supervisor import postgres
from supervisor.builder import TEMPORAL
from supervisor.engine import CLUSTER, DYNAMIC_CONFIG, Engine
from supervisor.errors import CannotStart
from supervisor.files import kept_secret, write_atomically
from supervisor.home import Home
from supervisor.process import Spec

ROLE = "temporal"
_SHARDS = 4
"""Fixed when the tables are made; never to be changed for a home that exists."""
_DATABASES = {"temporal": "temporal", "temporal_visibility": "visibility"}
PORTS = (
    "cluster-frontend-member",
    "cluster-history-grpc",
    "cluster-history-member",
    "cluster-matching-grpc",
    "cluster-matching-member",
    "cluster-worker-grpc",
    "cluster-worker-member",
)


def cluster(home: Home, *, server: Path, ports: dict[str, int], owner_url: str) -> Engine:
    """The server as a part; its tables must have been made by `install`."""
    file = home.run / "temporal.yaml"
    dynamic = home.run / "temporal-dynamic.yaml"
    values = {name: [{"value": value}] for name, value in DYNAMIC_CONFIG.items()}
    write_atomically(dynamic, json.dumps(values, indent=1))
    configuration = _configuration(owner_url, password=_password(home), ports=ports, dynamic=dynamic)
    # JSON is YAML, and needs no library to be written.
    write_atomically(file, json.dumps(configuration, indent=1), mode=0o600)
    return Engine(
        CLUSTER,
        Spec("temporal", (str(server), "--config-file", str(file), "--allow-no-auth", "start"), folder=home.path),
        f"127.0.0.1:{ports['temporal']}",
        lambda: None,
    )


def install(home: Home, *, tool: Path, owner_url: str, run: Callable[[Spec], None]) -> None:
    """Makes role, databases and tables; a database whose tables were left half-made is made anew."""
    password = _password(home)
    release = hashlib.sha256((TEMPORAL / "go.sum").read_bytes()).hexdigest()[:12]
    try:
        _ensure_role(owner_url, password)
        for database, schema in _DATABASES.items():
            mark = _mark(owner_url, database)
            if mark == release:
                continue
            if mark is None:
                _make_empty(owner_url, database)
            for words in _schema_commands(schema, is_new=mark is None):
                run(_tool_spec(tool, words, database=database, owner_url=owner_url, password=password, home=home))
            _set_mark(owner_url, database, release)
    except psycopg.Error as error:
        raise CannotStart(f"the cluster engine cannot make its databases: {str(error).strip()}") from None


def _schema_commands(schema: str, *, is_new: bool) -> list[tuple[str, ...]]:
    update = ("update-schema", "--schema-name", f"postgresql/v12/{schema}")
    return [("setup-schema", "-v", "0.0"), update] if is_new else [update]


def _tool_spec(tool: Path, words: tuple[str, ...], *, database: str, owner_url: str, password: str, home: Home) -> Spec:
    host, port = _host_and_port(owner_url)
    environment = {
        "SQL_PLUGIN": "postgres12",
        "SQL_HOST": host,
        "SQL_PORT": str(port),
        "SQL_USER": ROLE,
        "SQL_PASSWORD": password,
        "SQL_DATABASE": database,
    }
    return Spec("temporal-schema", (str(tool), *words), environment=environment, folder=home.path)


def _ensure_role(owner_url: str, password: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
        verb = sql.SQL("ALTER") if known else sql.SQL("CREATE")
        connection.execute(
            verb + sql.SQL(" ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), sql.Literal(password))
        )


def _mark(owner_url: str, database: str) -> str | None:
    """The release whose tables are complete; None when the database is missing or half-made."""
    question = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with psycopg.connect(owner_url, autocommit=True) as connection:
        row = connection.execute(question, [database]).fetchone()
    return row[0] if row else None


def _set_mark(owner_url: str, database: str, release: str) -> None:
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(database), sql.Literal(release))
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(statement)


def _make_empty(owner_url: str, database: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
    postgres.create_database(owner_url, database, owner=ROLE)


def _configuration(owner_url: str, *, password: str, ports: dict[str, int], dynamic: Path) -> dict[str, object]:
    host, port = _host_and_port(owner_url)

    def store(database: str, connections: int) -> dict[str, object]:
        return {
            "sql": {
                "pluginName": "postgres12",
                "databaseName": database,
                "connectAddr": f"{host}:{port}",
                "connectProtocol": "tcp",
                "user": ROLE,
                "password": password,
                "maxConns": connections,
                "maxIdleConns": connections,
                "maxConnLifetime": "1h",
            }
        }

    address = f"127.0.0.1:{ports['temporal']}"
    return {
        "log": {"stdout": True, "level": "warn"},
        "persistence": {
            "defaultStore": "default",
            "visibilityStore": "visibility",
            "numHistoryShards": _SHARDS,
            "datastores": {"default": store("temporal", 20), "visibility": store("temporal_visibility", 10)},
        },
        "global": {"membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"}},
        "services": _services(ports),
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": "active",
            "currentClusterName": "active",
            "clusterInformation": {
                "active": {"enabled": True, "initialFailoverVersion": 1, "rpcName": "frontend", "rpcAddress": address}
            },
        },
        "dcRedirectionPolicy": {"policy": "noop"},
        "dynamicConfigClient": {"filepath": str(dynamic), "pollInterval": "60s"},
    }


def _services(ports: dict[str, int]) -> dict[str, object]:
    def rpc(service: str, grpc: str, **more: int) -> dict[str, object]:
        member = ports[f"cluster-{service}-member"]
        return {"rpc": {"grpcPort": ports[grpc], "membershipPort": member, "bindOnLocalHost": True, **more}}

    inner = {name: rpc(name, f"cluster-{name}-grpc") for name in ("history", "matching", "worker")}
    return {"frontend": rpc("frontend", "temporal", httpPort=ports["temporal-http"]), **inner}


def _host_and_port(url: str) -> tuple[str, int]:
    words = psycopg.conninfo.conninfo_to_dict(url)
    return str(words.get("host") or "127.0.0.1"), int(words.get("port") or 5432)


def _password(home: Home) -> str:
    return kept_secret(home.path / "temporal.password")
