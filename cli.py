"""The command line: each part's entry, and what people type. Imports happen inside, so that each part loads only its own."""

import secrets
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn
from uuid import UUID
from zoneinfo import available_timezones

import typer

import settings

if TYPE_CHECKING:
    from db.transaction import Database

app = typer.Typer(
    help="Allotment, the back office of a ticket agency.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tenants = typer.Typer(help="Agencies.", no_args_is_help=True)
users = typer.Typer(help="People who log in.", no_args_is_help=True)
app.add_typer(tenants, name="tenant")
app.add_typer(users, name="user")

Engine = Annotated[str | None, typer.Option(help="dev or cluster; default: the one this home has used, else dev.")]


@app.command()
def up(*, demo: Annotated[bool, typer.Option(help="Seed two agencies.")] = False, engine: Engine = None) -> None:
    """Start everything, keep it running, stop it in order on Ctrl-C."""
    from supervisor.up import up as start

    raise typer.Exit(start(settings.current(), demo=demo, engine=_known_engine(engine)))


@app.command()
def api() -> None:
    """Part: the HTTP API."""
    from api.serve import main

    main()


@app.command()
def worker(
    *,
    name: Annotated[str, typer.Option(help="Its name in logs and pid files.")],
    queue: Annotated[list[str], typer.Option(help="A task queue it polls; may be given several times.")],
) -> None:
    """Part: a Temporal worker."""
    from worker import main

    main(name, queue)


@app.command()
def dispatcher() -> None:
    """Part: delivers the outbox and starts what is missing."""
    from dispatcher import main

    main()


@app.command()
def provider() -> None:
    """Part: the simulated payment provider."""
    from gateways.simulated_provider import main

    main()


@app.command()
def mail() -> None:
    """Part: the mail sink."""
    from gateways.mail_sink import main

    main()


@app.command()
def seed() -> None:
    """Create the demo agencies through the running API."""
    from seeding import main

    main()


@app.command()
def demo(*, engine: Engine = None) -> None:
    """Run a month of trading against a fresh temporary home and check the books."""
    from demo.main import main

    raise typer.Exit(main(engine=_known_engine(engine)))


@app.command()
def migrate() -> None:
    """Bring the home's database to the newest tables."""
    with _services():
        # Starting the services, or having found them running, has done it: there is one place that migrates.
        from db.migrate import head

        typer.echo(f"tables are at {head()}")


@app.command()
def verify(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """Run the invariants over all tenants; exit 1 if any row violates one."""
    with _services():
        from oracle import main

        status = main(as_json=as_json)
    raise typer.Exit(status)


@app.command()
def reset(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget everything in the home; refused while something runs there."""
    from supervisor.reset import reset as forget

    home = settings.current().home
    if not yes:
        typer.confirm(f"Delete everything in {home}?", abort=True)
    _refusing(lambda: forget(settings.current()))
    typer.echo(f"{home} is empty")


@tenants.command("create")
def tenant_create(
    *,
    name: Annotated[str, typer.Option()],
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "EUR",
    timezone: Annotated[str, typer.Option(help="IANA name.")] = "Europe/Berlin",
) -> None:
    """Create an agency; prints its id, also when it exists already."""
    from activities.access import create_tenant
    from domain.money import BadMoney, quantum

    try:
        quantum(currency)
    except BadMoney as unknown:
        _fail(unknown)
    if timezone not in available_timezones():
        raise typer.BadParameter(f"{timezone} is not a time zone such as Europe/Berlin")
    with _services(), _database() as database:
        typer.echo(create_tenant(database, name=name, currency=currency, timezone=timezone))


@users.command("add")
def user_add(
    *,
    tenant: Annotated[str, typer.Option(help="The agency's name or id.")],
    email: Annotated[str, typer.Option()],
    role: Annotated[str, typer.Option(help="owner, buyer, finance or boxoffice.")],
    password: Annotated[
        str,
        typer.Option(
            envvar="ALLOTMENT_USER_PASSWORD",
            help="Default: asked for; where nobody can be asked, the first line of the input, or else a new one.",
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="As others see it; default: the address before the @.")] = "",
) -> None:
    """Add a person to an agency; prints the user's id, and the password when nobody gave one."""
    from activities.access import add_user
    from domain.access import ROLES
    from domain.states import Refused

    if role not in ROLES:
        raise typer.BadParameter(f"{role} is not a role; choose one of {', '.join(sorted(ROLES))}")
    given = password or _asked_password()
    chosen = given or secrets.token_urlsafe(12)
    with _services(), _database() as database:
        try:
            with database.transaction(_tenant_id(database, tenant)) as tx:
                typer.echo(add_user(tx, email=email, name=name or email.split("@")[0], role=role, password=chosen))
        except Refused as refused:
            _fail(refused)
    if not given:
        typer.echo(f"password {chosen}")


def _asked_password() -> str:
    """What somebody at a terminal types twice, or a program writes to us; empty when there is nobody."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    # An input that stays open and silent, as below a service or a test, must not keep us.
    is_written, _, _ = select.select([sys.stdin], [], [], 1)
    return sys.stdin.readline().strip() if is_written else ""


@contextmanager
def _database() -> "Iterator[Database]":
    from db.transaction import Database

    url = settings.current().app_database_url
    assert url, "the services have been adopted"
    with Database(url, size=1, name="allotment-cli") as database:
        yield database


def _tenant_id(database: "Database", wanted: str) -> UUID:
    from db import access

    with database.tenantless() as tx:
        found = access.tenants(tx, name=wanted)
        known = found or [tenant for tenant in access.tenants(tx) if str(tenant) == wanted]
    if not known:
        _fail(LookupError(f"there is no agency {wanted}; make it: allotment tenant create --name '{wanted}'"))
    return known[0]


@contextmanager
def _services() -> Iterator[None]:
    """Database and Temporal of the home, running already or for as long as the command takes."""
    from supervisor.errors import CannotStart
    from supervisor.up import adopt, services

    try:
        with services(settings.current()) as addresses:
            adopt(addresses)
            yield
    except CannotStart as refused:
        _fail(refused)


def _known_engine(name: str | None) -> str | None:
    from supervisor.engine import NAMES

    if name and name not in NAMES:
        raise typer.BadParameter(f"{name} is not an engine; choose {' or '.join(NAMES)}")
    return name or None


def _refusing(action: Callable[[], None]) -> None:
    from supervisor.errors import CannotStart

    try:
        action()
    except CannotStart as refused:
        _fail(refused)


def _fail(refused: Exception) -> NoReturn:
    typer.echo(f"allotment: {refused}", err=True)
    raise typer.Exit(1)


def main() -> None:
    """Entry of `python -m cli`. A setting that cannot be meant is one line per setting, not a traceback."""
    from pydantic import ValidationError

    try:
        settings.current()
    except ValidationError as invalid:
        for error in invalid.errors():
            print(f"allotment: {'.'.join(map(str, error['loc']))}: {error['msg']}", file=sys.stderr)
        sys.exit(2)
    app()


if __name__ == "__main__":
    main()
