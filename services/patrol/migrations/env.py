"""Alembic's entry for the schema `patrol`."""

from backbone.migrations import run_env

run_env("patrol")
