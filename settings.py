"""Everything the environment may say, read once per process and frozen."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


class Settings(BaseSettings):
    """One process's view of its environment; `ALLOTMENT_` stands before each name but the four that others coined."""

    model_config = SettingsConfigDict(
        env_prefix="ALLOTMENT_", env_ignore_empty=True, frozen=True, extra="ignore", populate_by_name=True
    )

    home: Annotated[Path, AfterValidator(_absolute)] = ROOT / "var"
    """Where all state lives."""
    host: str = "127.0.0.1"
    """Where the API listens; containers say 0.0.0.0."""
    port: int = Field(default=8000, ge=1, le=65535)
    """Loopback port of the API."""
    reservation_window: timedelta = Field(default=timedelta(minutes=15), gt=timedelta(0))
    """How long a booking holds its seats before payment."""
    payment_grace: timedelta = Field(default=timedelta(minutes=2), ge=timedelta(0))
    """How much longer a payment in flight holds them."""
    database_url: str | None = Field(default=None, validation_alias=AliasChoices("database_url", "DATABASE_URL"))
    """The owner's connection; without it the supervisor runs a Postgres of its own."""
    app_database_url: str | None = None
    """The app's role, neither owner nor superuser."""
    temporal_address: str | None = Field(
        default=None, validation_alias=AliasChoices("temporal_address", "TEMPORAL_ADDRESS")
    )
    """host:port of Temporal; without it the supervisor runs one."""
    temporal_namespace: str = Field(
        default="default", validation_alias=AliasChoices("temporal_namespace", "TEMPORAL_NAMESPACE")
    )
    provider_url: str | None = None
    """Where the simulated payment provider answers."""
    smtp_url: str | None = None
    """smtp://host:port that takes our mail."""
    demo: bool = False
    """Whether readiness waits for the two demo agencies."""
    build_id: str = "dev"
    """The release; workers report it to Temporal as their deployment version."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Where a part without HTTP of its own shows Prometheus figures; 0 is off."""

    @property
    def run_dir(self) -> Path:
        """Pid files, addresses, the engine and secrets of the running instance."""
        return self.home / "run"

    @property
    def log_dir(self) -> Path:
        """One log per part."""
        return self.home / "logs"

    @property
    def mail_dir(self) -> Path:
        """What the mail sink took, one .eml each."""
        return self.home / "mail"

    @property
    def documents_dir(self) -> Path:
        """Rendered documents by content hash."""
        return self.home / "documents"


@cache
def current() -> Settings:
    """The settings of this process, read once. Raises pydantic.ValidationError for a value that cannot be meant."""
    return Settings()
