"""Roles, schemas and default privileges of one database; run as superuser, as often as one likes.

    python -m infra.postgis.roles [--database NAME]

Passwords come from the PINGAN_*_DATABASE_URL settings. Tables, row policies and the grants of
patrol_ingest are the services' own migrations.
"""

import argparse
import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2 import sql

SERVICES = ("grid", "hazards", "patrol", "notify", "access")
EXTENSIONS = ("postgis", "pg_trgm", "btree_gist")
ROLES_LOCK = 7205759403792794  # roles belong to the whole cluster: one writer at a time


def apply(admin_url: str, database: str, settings: Mapping[str, str]) -> None:
    """Brings the cluster's roles and this database's schemas and privileges to what is written here."""
    with_maintenance = urlsplit(admin_url)._replace(path="/postgres").geturl()
    guard = psycopg2.connect(with_maintenance)
    try:
        with guard.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (ROLES_LOCK,))
            _run(cursor, _cluster(settings))
        guard.commit()
        inside = psycopg2.connect(urlsplit(admin_url)._replace(path=f"/{database}").geturl())
        try:
            with inside, inside.cursor() as cursor:
                _run(cursor, _database(database))
        finally:
            inside.close()
    finally:
        guard.close()  # gives the lock back


def _run(cursor: "psycopg2.extensions.cursor", statements: list[sql.Composable]) -> None:
    for statement in statements:
        cursor.execute(statement)


def _password(settings: Mapping[str, str], name: str) -> str:
    return unquote(urlsplit(settings[name]).password or "")


def _cluster(settings: Mapping[str, str]) -> list[sql.Composable]:
    """Roles with passwords, memberships and per-role defaults."""
    logins = {"patrol_ingest": ("PINGAN_PATROL_INGEST_DATABASE_URL", "patrol", "BYPASSRLS")}
    for service in SERVICES:
        for kind, infix in (("owner", "OWNER_"), ("app", ""), ("read", "READ_")):
            logins[f"{service}_{kind}"] = (f"PINGAN_{service.upper()}_{infix}DATABASE_URL", service, "NOBYPASSRLS")
    statements = [_create("gateway_read", "NOLOGIN")]
    for role, (setting, schema, bypass) in logins.items():
        name, password = sql.Identifier(role), sql.Literal(_password(settings, setting))
        statements += [
            _create(role, "LOGIN"),
            sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE {} PASSWORD {}").format(
                name, sql.SQL(bypass), password
            ),
            sql.SQL("ALTER ROLE {} SET search_path = {}, public").format(name, sql.Identifier(schema)),
            sql.SQL("ALTER ROLE {} SET timezone = 'UTC'").format(name),
        ]
        if role.endswith("_read"):
            statements.append(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
            statements.append(sql.SQL("GRANT gateway_read TO {}").format(name))
    return statements


def _create(role: str, options: str) -> sql.Composable:
    return sql.SQL("DO $$ BEGIN CREATE ROLE {} {}; EXCEPTION WHEN duplicate_object THEN NULL; END $$").format(
        sql.Identifier(role), sql.SQL(options)
    )


def _database(database: str) -> list[sql.Composable]:
    """Extensions in public; a schema per service which its owner alone may change."""
    name = sql.Identifier(database)
    statements: list[sql.Composable] = [
        *(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA public").format(sql.Identifier(each))
            for each in EXTENSIONS
        ),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name),
        sql.SQL("ALTER DATABASE {} SET timezone = 'UTC'").format(name),
    ]
    for service in SERVICES:
        words = {
            "database": name,
            "schema": sql.Identifier(service),
            "owner": sql.Identifier(f"{service}_owner"),
            "app": sql.Identifier(f"{service}_app"),
            "read": sql.Identifier(f"{service}_read"),
        }
        statements += [
            sql.SQL(text).format(**words)
            for text in (
                "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}",
                "ALTER SCHEMA {schema} OWNER TO {owner}",
                "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner}, {app}, {read}",
                "GRANT USAGE ON SCHEMA {schema} TO {app}, {read}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} "
                "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {read}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {app}",
            )
        ]
    statements += [
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO patrol_ingest").format(name),
        sql.SQL("GRANT USAGE ON SCHEMA patrol TO patrol_ingest"),
    ]
    return statements


def main() -> None:
    admin_url = os.environ["PINGAN_ADMIN_DATABASE_URL"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default=urlsplit(admin_url).path.lstrip("/"))
    apply(admin_url, parser.parse_args().database, os.environ)


if __name__ == "__main__":
    main()
