"""`scripts/pingan <group> <command>`; `--help` at every level."""

from __future__ import annotations

import importlib
import keyword
import sys

import click

from backbone.settings import MissingSetting

# Loaded when asked for: starting the platform runs several of these one after another, and one that declares
# the topology should not wait for the simulator's imports.
_COMMANDS = {
    "admin": "cli.accounts",
    "audit": "cli.audit",
    "county": "cli.county",
    "demo": "cli.demo",
    "events": "cli.events",
    "import": "cli.first_load",
    "migrate": "cli.migrate",
    "quarantine": "cli.quarantine",
    "simulate": "cli.simulate",
    "topology": "cli.broker",
}


class _Pingan(click.Group):
    """The root of every command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(
            importlib.import_module(module), f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        )
        return command


@click.group(cls=_Pingan, help="Administration of one Ping'an Grid platform.")
def pingan() -> None:
    """The root of every command."""


def main() -> None:
    """What is missing is said in one line; a fault keeps its traceback."""
    try:
        pingan(prog_name="scripts/pingan")
    except MissingSetting as error:
        click.echo(f"pingan: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
