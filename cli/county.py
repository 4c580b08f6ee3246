"""`scripts/pingan county load`: a county of one's own from a file, with staff and accounts to try it with."""

from __future__ import annotations

import pathlib

import click

from backbone.settings import required
from contracts.grid.commands import Crs
from simulator import demo
from simulator.client import ApiRefused


@click.group(help="A county of your own.")
def county() -> None:
    """Commands on a county's areas."""


@county.command(help="Import and publish a GeoJSON file's areas; add agencies, posts and an account of every role.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path))
@click.option("--crs", type=click.Choice([each.value for each in Crs]), required=True, help="What its degrees are.")
@click.option("--login", required=True, help="An administrator, such as `admin create` makes.")
@click.option("--password", prompt=True, hide_input=True, help="Asked for when not given.")
def load(file: pathlib.Path, crs: str, login: str, password: str) -> None:
    gateway = f"http://127.0.0.1:{required('PINGAN_GATEWAY_PORT')}"
    try:
        demo.load(gateway, login, password, county=demo.Given.read(file, crs))
    except (ApiRefused, RuntimeError, TimeoutError, ValueError) as error:
        raise click.ClickException(str(error)) from None
