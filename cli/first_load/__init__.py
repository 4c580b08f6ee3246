"""`scripts/pingan import …`: a county's first load from its own tables, through the public API."""

from __future__ import annotations

import asyncio
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from backbone.settings import required
from cli.first_load import boundaries, outcomes
from cli.first_load.columns import Unmapped, mapped
from cli.first_load.kinds import KINDS, Kind
from cli.first_load.known import NoCounty, look_up
from cli.first_load.planning import plan
from cli.first_load.reading import Unreadable, read
from cli.first_load.running import Interrupted, Run
from cli.first_load.together import AT_ONCE
from contracts.codes import SystemCode
from contracts.grid.commands import Crs
from simulator.client import Api, ApiRefused, Unreachable

INTERRUPTED = 130
_FILE = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)
_REPORT = click.Path(dir_okay=False, path_type=pathlib.Path)


@click.group(name="import", help="A county's first load, from its own tables: areas, agencies, persons, places, posts.")
def import_() -> None:
    """Commands that import."""


def _who(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all of them have."""
    for option in (
        click.option("--report", type=_REPORT, help="Rows' outcomes: CSV, or JSON by its name."),
        click.option("--url", envvar="PINGAN_URL", help="The platform; this machine's by default."),
        click.option("--password", envvar="PINGAN_PASSWORD", prompt=True, hide_input=True, help="Asked for if absent."),
        click.option("--login", required=True, help="A county administrator or operator."),
        click.argument("file", type=_FILE),
    ):  # fmt: skip
        command = option(command)
    return command


@import_.command(help="Areas: GeoJSON, zipped Shapefiles, GeoPackage or CSV with WKT; checked, and published if asked.")
@_who
@click.option("--crs", required=True, help="What its coordinates are: wgs84, cgcs2000, gcj02, bd09, EPSG:4549 …")
@click.option("--publish", is_flag=True, help="Put it in force when it has no errors; without, only the checks run.")
def areas(
    file: pathlib.Path, login: str, password: str, url: str | None, report: pathlib.Path | None, crs: str, publish: bool
) -> None:
    async def bring() -> int:
        async with _api(url, login, password) as api:
            job = await boundaries.bring(api, file, crs, _progress)
            found = boundaries.findings(job)
            _show([each for each in found if each.outcome == outcomes.REFUSED] or found)
            if report is not None:
                outcomes.write(report, found)
            click.echo(f"{job['state']}: {job['errors']} errors, {job['warnings']} warnings")
            if job["state"] != "valid":
                return 1
            if publish:
                version = await boundaries.publish(api, job["import_id"])
                click.echo("unchanged 未变" if version is None else f"published 已发布: version {version}")
            return 0

    sys.exit(_run(bring))


def _system(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        return TypeAdapter(SystemCode).validate_python(value)
    except ValidationError:
        raise click.BadParameter("small letters, digits and dashes: police-gis") from None


def _add(kind: Kind) -> None:
    @import_.command(kind.name, help=f"{kind.name.capitalize()} from CSV, XLSX or GeoJSON; a repeat changes nothing.")
    @_who
    @click.option("--sheet", help="Of a spreadsheet with several; the first by default.")
    @click.option("--map", "said", multiple=True, metavar="COLUMN=FIELD", help="Where a column's name does not tell.")
    @click.option("--system", default="import", show_default=True, callback=_system, help="Whose codes the file has.")
    @click.option("--crs", type=click.Choice([each.value for each in Crs]), hidden=not kind.located,
                  help="What its coordinates are, where no column says it.")  # fmt: skip
    @click.option("--dry-run", is_flag=True, help="Check every row and write nothing.")
    def command(
        file: pathlib.Path, login: str, password: str, url: str | None, report: pathlib.Path | None,
        sheet: str | None, said: Sequence[str], system: str, crs: str | None, dry_run: bool,
    ) -> None:  # fmt: skip
        try:
            rows = read(file, sheet)
            columns = mapped(kind, rows.columns, said)
        except (Unreadable, Unmapped) as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"{file.name}: {rows.how}, {len(rows.rows)} rows")
        click.echo("columns 列: " + ", ".join(f"{column} → {field}" for field, column in columns.items()))
        if ignored := [each for each in rows.columns if each not in columns.values()]:
            click.echo("ignored 未用: " + ", ".join(ignored))

        async def bring() -> int:
            async with _api(url, login, password) as api:
                known = await look_up(api, kind, system)
                planned = plan(kind, rows, columns, known, {"crs": crs} if crs else {})
                run = Run(api, kind, known, columns)
                try:
                    if dry_run:
                        await run.try_out(planned)
                    else:
                        await run.write(planned, lambda done: _progress(f"{done} / {len(planned)}"))
                finally:
                    left = [
                        outcomes.Outcome(each.line, each.key, outcomes.NOT_DONE)
                        for each in planned
                        if each.line not in run.outcomes
                    ]
                    _finish(sorted([*run.outcomes.values(), *left], key=lambda each: each.line), report)
            return int(any(each.outcome == outcomes.REFUSED for each in run.outcomes.values()))

        sys.exit(_run(bring))


for _kind in KINDS:
    _add(_kind)


def _api(url: str | None, login: str, password: str) -> Api:
    address = url or f"http://127.0.0.1:{required('PINGAN_GATEWAY_PORT')}"
    return Api(
        address,
        login,
        password,
        concurrency=AT_ONCE,
        longest_pause_s=60.0,
        waits_for_projections=False,
        language="zh-CN",
    )


def _run(bring: Callable[[], Any]) -> int:
    """The exit code. What went wrong is one line; what was written stays."""
    try:
        return int(asyncio.run(bring()))
    except KeyboardInterrupt:
        click.echo("interrupted 已中断: what is written stays; the same command goes on", err=True)
        return INTERRUPTED
    except NoCounty:
        raise click.ClickException("this account sees no area: import and publish the areas first") from None
    except (ApiRefused, Interrupted, TimeoutError, Unreachable, OSError) as error:
        raise click.ClickException(f"{error}; what is written stays, the same command goes on") from None


def _finish(found: Sequence[outcomes.Outcome], report: pathlib.Path | None) -> None:
    _show([each for each in found if each.outcome == outcomes.REFUSED])
    if report is not None:
        outcomes.write(report, found)
        click.echo(f"report 报告: {report}")
    click.echo(outcomes.summary(found))


def _show(found: Sequence[outcomes.Outcome], most: int = 20) -> None:
    for each in found[:most]:
        field = f" {each.field}" if each.field else ""
        click.echo(f"line 行 {each.line} [{each.key}]{field}: {each.code} {each.message}", err=True)
    if len(found) > most:
        click.echo(f"… and {len(found) - most} more: see --report", err=True)


def _progress(words: str) -> None:
    """In place on a terminal; elsewhere nothing, so that a log stays readable."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        click.echo(f"\r{words}\033[K", nl=False, err=True)
