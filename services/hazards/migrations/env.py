"""Alembic's entry for the schema `hazards`."""

from backbone.migrations import run_env

run_env("hazards")
