"""Alembic's entry for the schema `notify`."""

from backbone.migrations import run_env

run_env("notify")
