"""Alembic's entry for the schema `grid`."""

from backbone.migrations import run_env

run_env("grid")
