"""Who may do what: tenants, users, and the hashed secrets they show."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Interval,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables.base import belongs_to, count, instant, metadata, tenant_table, uuid_column, words

tenants = Table(
    "tenants",
    metadata,
    uuid_column("id"),
    words("name"),
    words("currency"),
    words("timezone"),
    words("locale", default="en"),
    Column("service_fee_percent", Numeric(6, 3), nullable=False, server_default="10"),
    Column("reservation_window", Interval, nullable=True),
    count("version", default="1"),
    instant("created_at", now=True),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),
    CheckConstraint("service_fee_percent >= 0 AND service_fee_percent <= 100", name="fee_in_percent"),
)

users = tenant_table(
    "users",
    words("email"),
    words("name"),
    words("role"),
    words("password_hash"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    instant("created_at", now=True),
    Index("uq_users_email", text("lower(email)"), unique=True),
)

# One row per bearer secret (access token, refresh token, API key); only its SHA-256 is kept.
credentials = tenant_table(
    "credentials",
    Column("secret_hash", LargeBinary, nullable=False),
    words("kind"),
    uuid_column("user_id", nullable=True),
    uuid_column("family_id"),
    words("name", nullable=True),
    words("prefix", nullable=True),
    Column("permissions", ARRAY(Text), nullable=False),
    instant("expires_at", nullable=True),
    instant("used_at", nullable=True),
    instant("revoked_at", nullable=True),
    instant("created_at", now=True),
    belongs_to("users", "user_id"),
    CheckConstraint("kind IN ('ACCESS', 'REFRESH', 'API_KEY')", name="kind"),
    Index("uq_credentials_secret_hash", "secret_hash", unique=True),
    Index("ix_credentials_family", "tenant_id", "family_id"),
)

# No agency is known while a login fails, so this table belongs to none.
login_failures = Table(
    "login_failures",
    metadata,
    words("account"),
    words("address"),
    instant("failed_at", now=True),
    Index("ix_login_failures_account", "account", "address", "failed_at"),
)

installation = Table(
    "installation",
    metadata,
    words("fact"),
    instant("at", now=True),
    PrimaryKeyConstraint("fact"),
)
