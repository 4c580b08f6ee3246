"""`scripts/pingan simulate cases`: as many cases as one likes, for benches and demonstrations.

Written by COPY and by set, as the schema's owner: no command is sent and no event goes out, so no subscriber hears of
them. What was made bears `simulated:<seed>` where a report bears its digest, and can be taken away again.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import UUID

import click
import psycopg2
import shapely

from backbone.clock import COUNTY_TIME
from backbone.settings import DatabaseSettings, required
from simulator import cases as simulated

MARK = "simulated:"
CHUNK = 20_000
FOLDED = 1_000_000
"""Changes that are counted at once: of a million there are a tenth as many that differ."""
Say = Callable[[str], None]

_STAGED = """
CREATE TEMP TABLE staged (
    id uuid, case_no text, kind text, category text, sensitivity smallint, source text, grade text, description text,
    lon float8, lat float8, area_path text COLLATE "C", reporting uuid, centre uuid, lead uuid, assisting uuid,
    supervision text, way int, steps int, reported_at timestamptz, lasts float8, due_at timestamptz
) ON COMMIT DELETE ROWS
"""
_WAYS = """
CREATE TEMP TABLE ways (way int, seq int, move text, from_state text, to_state text, at float8, by text,
    PRIMARY KEY (way, seq))
"""
# Who is who: an account for each agency's one hand, so that handling and checking are never the same person's.
_ACCOUNT = "md5('simulated account ' || {})::uuid"
_CASES = f"""
INSERT INTO hazards.cases (id, case_no, version, kind, category, source, state, grade, sensitivity, description, geom,
    original_crs, original_lon, original_lat, area_path, boundary_version, located_version, unassigned,
    reporter_account_id, reporting_agency_id, lead_agency_id, assisting_agency_ids, participants, handler_account_id,
    handler_account_ids, returns, reworks, supervision, supervision_agency_id, occurred_at, reported_at, updated_at,
    dispatched_at, handled_at, closed_at, due_since, warn_at, due_at, warned_at, missed_at, accept_due_at,
    unacknowledged_at, report_digest)
SELECT s.id, s.case_no, s.steps, s.kind, s.category, s.source, last.to_state, s.grade, s.sensitivity, s.description,
    ST_SetSRID(ST_MakePoint(s.lon, s.lat), 4326), 'wgs84', s.lon, s.lat, s.area_path, %(boundary)s, %(boundary)s, false,
    {_ACCOUNT.format("s.reporting")}, s.reporting, done.lead, done.assisting,
    ARRAY(SELECT DISTINCT each FROM unnest(ARRAY[s.reporting, done.lead] || done.assisting) each
        WHERE each IS NOT NULL),
    CASE WHEN done.finished > 0 THEN {_ACCOUNT.format("done.lead")} END,
    CASE WHEN done.started > 0 THEN ARRAY[{_ACCOUNT.format("done.lead")}] ELSE '{{}}' END,
    done.returned, done.failed, CASE WHEN done.dispatched > 0 THEN s.supervision END,
    CASE WHEN done.dispatched > 0 AND s.supervision IS NOT NULL THEN s.centre END,
    s.reported_at, s.reported_at, moved.at,
    CASE WHEN last.to_state = 'dispatched' THEN moved.at END,
    CASE WHEN last.to_state IN ('handled', 'checked', 'closed') THEN done.handled_at END,
    CASE WHEN last.to_state = 'closed' THEN moved.at END,
    s.reported_at, s.due_at - (s.due_at - s.reported_at) * 0.2, s.due_at,
    CASE WHEN s.due_at - (s.due_at - s.reported_at) * 0.2 < stands.until
        THEN s.due_at - (s.due_at - s.reported_at) * 0.2 END,
    CASE WHEN s.due_at < stands.until THEN s.due_at END,
    CASE WHEN last.to_state = 'dispatched' THEN moved.at + interval '2 hours' END,
    CASE WHEN last.to_state = 'dispatched' AND moved.at + interval '2 hours' < %(until)s
        THEN moved.at + interval '2 hours' END,
    %(mark)s
FROM staged s
JOIN ways last ON last.way = s.way AND last.seq = s.steps,
LATERAL (SELECT s.reported_at + make_interval(secs => s.lasts * last.at) AS at) moved,
LATERAL (SELECT CASE WHEN last.to_state IN ('closed', 'refused', 'voided') THEN moved.at ELSE %(until)s END AS until)
    stands,
LATERAL (
    SELECT count(*) FILTER (WHERE move = 'dispatch') AS dispatched, count(*) FILTER (WHERE move = 'start') AS started,
        count(*) FILTER (WHERE move = 'finish') AS finished, count(*) FILTER (WHERE move = 'return') AS returned,
        count(*) FILTER (WHERE move = 'fail_check') AS failed,
        CASE WHEN max(seq) FILTER (WHERE move = 'dispatch') > coalesce(max(seq) FILTER (WHERE move = 'return'), 0)
            THEN s.lead END AS lead,
        CASE WHEN max(seq) FILTER (WHERE move = 'dispatch') > coalesce(max(seq) FILTER (WHERE move = 'return'), 0)
            AND s.assisting <> s.lead THEN ARRAY[s.assisting] ELSE '{{}}' END AS assisting,
        s.reported_at + make_interval(secs => s.lasts * max(at) FILTER (WHERE move = 'finish')) AS handled_at
    FROM ways WHERE way = s.way AND seq <= s.steps
) done
"""  # noqa: S608 - constants
_HISTORY = f"""
INSERT INTO hazards.case_history (case_id, seq, at, account_id, agency_id, roles, move, from_state, to_state)
SELECT s.id, w.seq, s.reported_at + make_interval(secs => s.lasts * w.at), {_ACCOUNT.format("acting.agency")},
    acting.agency, ARRAY[acting.role], w.move, w.from_state, w.to_state
FROM staged s JOIN ways w ON w.way = s.way AND w.seq <= s.steps,
LATERAL (SELECT CASE w.by WHEN 'reporter' THEN s.reporting WHEN 'centre' THEN s.centre ELSE s.lead END AS agency,
    CASE w.by WHEN 'reporter' THEN 'grid_worker' WHEN 'centre' THEN 'town_operator' ELSE 'agency_officer' END AS role)
    acting
"""  # noqa: S608 - constants


@click.group(help="Made-up data, for benches and demonstrations. Never where real people work.")
def simulate() -> None:
    """Commands that fill a platform with what did not happen."""


@simulate.command(help="Write simulated cases with their histories, or take them away. No event goes out for them.")
@click.option("--count", default=10_000, show_default=True, type=click.IntRange(1, 20_000_000))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="Spread over so many days.")
@click.option("--history/--no-history", default=True, show_default=True, help="Each move's row beside the case.")
@click.option("--anyway", is_flag=True, help="Even where there are cases that somebody reported.")
@click.option("--remove", is_flag=True, help="Take away every simulated case instead.")
def cases(count: int, seed: int, days: int, history: bool, anyway: bool, remove: bool) -> None:
    url = DatabaseSettings.for_service("hazards").owner_url
    try:
        if remove:
            remove_cases(url, click.echo)
        else:
            write_cases(url, required("PINGAN_COUNTY_CODE"), count, seed, days, click.echo, history, anyway)
    except Refused as error:
        raise click.ClickException(str(error)) from None


class Refused(Exception):
    """Nothing was written, and why."""


def write_cases(
    url: str, county_code: str, count: int, seed: int, days: int, say: Say, history: bool = True, anyway: bool = False
) -> None:
    """Writes `count` cases as the owner at `url`. Raises Refused where it should not, or cannot."""
    began = time.monotonic()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as on:
        on.execute(
            "SELECT count(*) FROM (SELECT FROM hazards.cases WHERE report_digest NOT LIKE %s LIMIT 1) c", (f"{MARK}%",)
        )
        if _one(on) and not anyway:
            raise Refused("there are cases that somebody reported; --anyway writes beside them")
        on.execute("SELECT count(*) FROM hazards.cases WHERE report_digest LIKE %s", (f"{MARK}%",))
        first = _one(on)
        county = county_of(on, county_code)
        say(f"{len(county.grids):,} areas, {len(county.agencies):,} agencies, {len(county.categories)} categories")
        made = simulated.simulate(county, count, seed=seed, days=days)
        _prepare(on)
        connection.commit()
        for start in range(0, count, CHUNK):
            _stage(on, made, start, county_code, first)
            values = {"boundary": county.boundary_version, "until": made.until, "mark": f"{MARK}{seed}"}
            on.execute(_CASES, values)
            if history:
                on.execute(_HISTORY)
            connection.commit()
            done = min(start + CHUNK, count)
            say(f"{done:,} of {count:,} cases, {done / (time.monotonic() - began):,.0f}/s")
    _settle(url, say)
    say(f"{count:,} cases in {time.monotonic() - began:.0f} s; no events were written for them")


def remove_cases(url: str, say: Say) -> None:
    """Takes away every simulated case and what belongs to it, 20,000 at a time."""
    removed, began = 0, time.monotonic()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as on:
        while True:
            # The histories are append-only for everybody else, and again for us when this is committed.
            on.execute("ALTER TABLE hazards.case_history DISABLE TRIGGER append_only")
            on.execute(
                "CREATE TEMP TABLE doomed ON COMMIT DROP AS"
                " SELECT id FROM hazards.cases WHERE report_digest LIKE %s LIMIT %s",
                (f"{MARK}%", CHUNK),
            )
            on.execute("DELETE FROM hazards.case_history USING doomed WHERE case_id = id")
            on.execute("DELETE FROM hazards.cases c USING doomed d WHERE c.id = d.id")
            gone = on.rowcount
            on.execute("ALTER TABLE hazards.case_history ENABLE TRIGGER append_only")
            connection.commit()
            removed += gone
            if gone < CHUNK:
                break
            say(f"{removed:,} removed, {removed / (time.monotonic() - began):,.0f}/s")
    _settle(url, say)
    say(f"{removed:,} simulated cases removed")


def county_of(on: Any, county_code: str) -> simulated.County:
    """The county as hazards knows it. Raises Refused without a boundary or agencies."""
    on.execute("SELECT max(version) FROM hazards.boundaries WHERE published_at IS NOT NULL")
    version = _one(on)
    if version is None:
        raise Refused("no boundary is in force yet: publish one first (make run loads a demo county)")
    on.execute(
        "SELECT path, ST_AsBinary(geom) FROM hazards.areas WHERE boundary_version = %s AND leaf ORDER BY path",
        (version,),
    )
    grids = [simulated.Grid(path, shapely.from_wkb(bytes(wkb))) for path, wkb in on.fetchall()]
    on.execute("SELECT code, kind, sensitivity FROM hazards.categories WHERE active ORDER BY code")
    categories = [simulated.Category(*row) for row in on.fetchall()]
    on.execute("SELECT kind, area_path, id::text FROM hazards.agencies WHERE active ORDER BY code DESC")
    agencies = {(kind, path): agency for kind, path, agency in on.fetchall()}
    on.execute("SELECT agency_id::text, area_path, category FROM hazards.jurisdictions WHERE active ORDER BY id")
    answering = on.fetchall()
    if not grids or not categories or not agencies:
        raise Refused("there are no areas, categories or agencies to make cases of")
    return simulated.County(county_code, grids, categories, agencies, answering, version)


def _prepare(on: Any) -> None:
    on.execute(_STAGED)
    on.execute(_WAYS)
    for way, steps in enumerate(simulated.WAYS):
        for seq, step in enumerate(steps, start=1):
            values = (way, seq, step.move, step.from_state, step.to_state, step.at, step.by)
            on.execute("INSERT INTO ways VALUES (%s, %s, %s, %s, %s, %s, %s)", values)
    on.execute("ANALYZE ways")


def _stage(on: Any, made: simulated.Simulated, start: int, county_code: str, first: int) -> None:
    lines = io.StringIO("\n".join(_line(row, made.seed, county_code, first) for row in made.rows(start, start + CHUNK)))
    on.copy_expert("COPY staged FROM STDIN", lines)


def _line(row: dict[str, Any], seed: int, county_code: str, first: int) -> str:
    reported, category = row["reported_at"], row["category"]
    day = reported.astimezone(COUNTY_TIME)
    # Far above what a day's own numbers reach.
    case_no = f"{county_code}-{day:%Y%m%d}-9{first + row['n']:08d}"
    found = (
        _id(reported.timestamp(), seed, first + row["n"]), case_no, category.kind, category.code, category.sensitivity,
        row["source"], row["grade"], row["description"], row["lon"], row["lat"], row["area_path"], row["reporting"],
        row["centre"], row["lead"], row["assisting"], row["supervision"], row["way"], row["steps"],
        reported.isoformat(), row["lasts"], row["due_at"].isoformat(),
    )  # fmt: skip
    return "\t".join("\\N" if each is None else str(each) for each in found)


def _id(at: float, seed: int, number: int) -> UUID:
    """A UUIDv7 of the report's moment, the same for the same seed and number."""
    tail = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03) & ((1 << 74) - 1)
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    return UUID(int=int(at * 1000) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def _settle(url: str, say: Say) -> None:
    """The counts as if the service had folded every change, and fresh statistics."""
    from services.hazards.commands.counting import FOLD

    with closing(psycopg2.connect(url)) as connection, connection.cursor() as on:
        on.execute("SET work_mem = '256MB'")
        while True:
            on.execute(FOLD.replace(":most", "%(most)s"), {"most": FOLDED})
            folded = _one(on)
            connection.commit()
            if not folded:
                break
        say("counted")
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as on:
            for table in ("cases", "case_history", "case_participants", "case_texts", "case_counts", "case_deltas"):
                on.execute(f"VACUUM (ANALYZE) hazards.{table}")


def _one(on: Any) -> Any:
    return on.fetchone()[0]
