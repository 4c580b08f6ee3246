"""`scripts/pingan <group> <command>`; `--help` at every level."""

from __future__ import annotations

import sys

import click

from backbone.settings import MissingSetting
from cli.accounts import admin
from cli.broker import events, quarantine, topology
from cli.county import county
from cli.demo import demo
from cli.migrate import migrate


@click.group(help="Administration of one Ping'an Grid platform.")
def pingan() -> None:
    """The root of every command."""


for command in (migrate, topology, admin, county, demo, events, quarantine):
    pingan.add_command(command)


def main() -> None:
    """What is missing is said in one line; a fault keeps its traceback."""
    try:
        pingan(prog_name="scripts/pingan")
    except MissingSetting as error:
        click.echo(f"pingan: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
