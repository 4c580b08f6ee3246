"""A county in hazards' own tables, without a platform: areas, agencies and who answers, as projections hold them."""

from __future__ import annotations

import contextlib
from uuid import UUID

import psycopg2
import psycopg2.extras
import shapely

from simulator import county as counties
from simulator import staff

COUNTY = "330499"


def fill(url: str) -> None:
    """The demo county as boundary version 1, its agencies and jurisdictions, into an empty database at `url`."""
    made = counties.generate(code=COUNTY)
    parents = {area.parent for area in made.areas}
    areas = [
        (
            1, area.code, area.level, "ordinary", area.parent, made.path(area.code), shapely.to_wkb(area.geometry), "",
            1, area.code not in parents,
        )
        for area in made.areas
    ]  # fmt: skip
    plan = staff.plan(staff.area_rows(made.feature_collection()))
    writes = [write for _, stage in plan.stages for write in stage]
    agencies = [
        (UUID(write.path.rpartition("/")[2]), body["code"], body["kind"], body["parent_id"], body["area_path"], True, 1)
        for write in writes
        if write.path.startswith("/v1/agencies/") and (body := write.body)
    ]
    answering = [
        (UUID(write.path.rpartition("/")[2]), body["agency_id"], body["area_path"], body["category"], True, 1)
        for write in writes
        if write.path.startswith("/v1/jurisdictions/") and (body := write.body)
    ]
    psycopg2.extras.register_uuid()
    with contextlib.closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as on:
        many = psycopg2.extras.execute_values
        many(
            on,
            "INSERT INTO hazards.areas (boundary_version, code, level, kind, parent_code, path, geom, wkb_sha256,"
            " entity_version, leaf) VALUES %s",
            areas,
            "(%s, %s, %s, %s, %s, %s, ST_GeomFromWKB(%s, 4326), %s, %s, %s)",
        )
        on.execute(
            "INSERT INTO hazards.boundaries (version, areas, digest, county_path, valid_from, published_at)"
            " VALUES (1, %s, '', %s, now(), now())",
            (len(areas), f"{COUNTY}/"),
        )
        many(
            on,
            "INSERT INTO hazards.agencies (id, code, kind, parent_id, area_path, active, version) VALUES %s",
            agencies,
        )
        many(
            on,
            "INSERT INTO hazards.jurisdictions (id, agency_id, area_path, category, active, version) VALUES %s",
            answering,
        )
