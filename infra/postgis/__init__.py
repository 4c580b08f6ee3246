"""Roles, schemas and default privileges of the county's database."""
