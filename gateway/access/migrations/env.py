"""Alembic's environment of schema `access`."""

from backbone.migrations import run_env

run_env("access")
