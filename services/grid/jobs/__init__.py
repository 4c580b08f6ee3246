"""Validation of an area import, in the worker: read, convert, check twice, compare, report.

The two topology checks are independent (shapely here, PostGIS over the draft rows) and must agree; an import over
which they differ has failed, and says so, rather than being trusted to either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from backbone import files, telemetry
from backbone.database import Session, Unavailable
from backbone.jobs import JobContext, LeaseLost
from contracts.areas import Level
from contracts.grid.commands import ImportState
from geo import topology
from services.grid.domain.numbering import Template
from services.grid.jobs import draft, known, numbering, postgis, report, snapping
from services.grid.jobs.changing import Change
from services.grid.jobs.reading import Area, Finding, Reading, in_wgs84, judge_numbers, read
from services.grid.tables import area_imports

SERVICE = "grid"
log = telemetry.logger("grid.jobs")
_RUNNING = (ImportState.RECEIVED.value, ImportState.VALIDATING.value)


def validate_import(context: JobContext) -> dict[str, Any] | None:
    """Job `validate_area_import`, payload {"import_id"}: bring an import to valid, invalid or failed.

    Safe to run again after a crash: it starts over while the import is still being validated, else does nothing.
    """
    import_id = UUID(context.payload["import_id"])
    work = _Validation(context, import_id)
    if not work.begin():
        return None
    try:
        return work.run()
    except (Unavailable, LeaseLost):
        raise
    except Exception as error:
        log.exception("import validation failed", import_id=str(import_id))
        message = f"the check itself failed ({type(error).__name__}); this is not the file's fault"
        return work.fail("internal_error", message)


class _Validation:
    """One run: its import's row is the only state."""

    def __init__(self, context: JobContext, import_id: UUID) -> None:
        self.context, self.import_id = context, import_id
        self.crs = self.blob = ""
        self.mapping: dict[str, str] = {}
        self.options: dict[str, Any] = {}
        self.operations: list[dict[str, Any]] | None = None
        self.base_version = 0
        self.plan: dict[str, Any] | None = None
        self.found: dict[str, Any] = {}
        """What the report's `checks` say besides."""

    def begin(self) -> bool:
        """Claim the import. False when there is nothing left to do."""
        with self.context.transaction() as session:
            row = session.execute(
                select(area_imports).where(area_imports.c.import_id == self.import_id).with_for_update()
            ).one_or_none()
            if row is None or row.state not in _RUNNING:
                return False
            self.crs, self.blob, self.mapping, self.options = row.crs, row.blob, row.mapping, row.options
            self.operations, self.base_version = row.operations, row.base_version
            self._set(session, state=ImportState.VALIDATING.value, progress=0.0, version=row.version + 1)
        return True

    def run(self) -> dict[str, Any]:
        try:
            reading = self._read() if self.operations is None else self._change(self.operations)
        except files.UnknownBlob:
            return self.fail("missing_file", "the file that was handed over is not there any more")
        self._progress(0.2)
        reading.areas, ours, plane = in_wgs84(reading.areas, reading.crs)
        self._progress(0.5)
        if (width := self.options.get("snap_m")) is not None:
            ours = self._snap(reading, width)
        self._progress(0.6)
        families = topology.families_of([area.feature for area in reading.areas])
        with self.context.transaction() as session:
            draft.write(session, self.import_id, reading.areas, families)
        self._progress(0.7)
        with self.context.transaction() as session:
            theirs = postgis.check(session, self.import_id)
        self._progress(0.9)
        differing = postgis.disagreements(postgis.pieces_of(ours.problems), theirs)
        if differing:
            return self.fail("checks_disagree", "the two topology checks disagree: " + "; ".join(differing[:5]))
        return self._finish(reading, ours, plane)

    def _read(self) -> Reading:
        template = self.options.get("numbering")
        with files.open(self.blob) as stream:
            reading = read(stream.read(), self.crs, self.mapping, numbering=template is not None)
        if template is not None:
            with self.context.transaction() as session:
                self.found["numbered"] = numbering.assign(session, reading, Template.of(template))
            judge_numbers(reading)
        return reading

    def _snap(self, reading: Reading, width_m: float) -> topology.Report:
        """Close what is narrower, and check what comes of it."""
        snapped = snapping.snap(reading.areas, width_m)
        indexes = {area.code: area.index for area in reading.areas}
        reading.areas = snapped.areas
        reading.findings += [Finding("warning", move, indexes[move.codes[0]]) for move in snapped.moves]
        self.found["snapped"] = len(snapped.moves)
        self.found["snapped_m2"] = round(snapped.moved_m2, 3)
        return topology.check([area.feature for area in reading.areas])

    def _change(self, operations: list[dict[str, Any]]) -> Reading:
        with self.context.transaction() as session:
            change = Change(session, self.base_version, operations, self.crs)
            self.plan = None if change.failed else change.plan()
        return change.reading

    def _finish(self, reading: Reading, ours: topology.Report, plane: str) -> dict[str, Any]:
        indexes = {area.code: area.index for area in reversed(reading.areas)}
        findings = [*reading.findings, *_findings(ours.problems, indexes, reading)]
        findings += [Finding("warning", piece, indexes.get(piece.codes[0])) for piece in ours.forgiven]
        county = next((area for area in reading.areas if area.level is Level.COUNTY), None)
        with self.context.transaction() as session:
            if county is not None:
                findings += known.judge(session, self.import_id, county, reading.crs)
            errors, warnings = report.severities(findings)
            state = ImportState.INVALID if errors else ImportState.VALID
            checks = {
                "format": reading.format,
                "mapping": dict(reading.attributes.names),
                "families": ours.families,
                "slivers": ours.slivers,
                "largest_sliver_m2": round(ours.largest_sliver_m2, 4),
                "lines_straight_in": plane,
                "agree": True,
                **self.found,
            }
            if errors:
                checks["closed_by_snap_m"] = snapping.offer(ours.problems)
                draft.discard(session, self.import_id)
            self._set(
                session,
                state=state.value,
                progress=1.0,
                errors=errors,
                warnings=warnings,
                report=report.build(findings, areas=_levels(reading.areas), checks=checks),
                county_code=county.code if county else None,
                areas=len(reading.areas),
                plan=None if errors else self.plan,
                content_sha256=draft.content_sha256(reading.areas),
                version=area_imports.c.version + 1,
            )
        return {"state": state.value, "errors": errors, "warnings": warnings}

    def fail(self, code: str, message: str) -> dict[str, Any]:
        """The import cannot be judged; its report says why."""
        finding = Finding("error", topology.Problem(code, (), message))
        with self.context.transaction() as session:
            draft.discard(session, self.import_id)
            self._set(
                session,
                state=ImportState.FAILED.value,
                progress=1.0,
                errors=1,
                warnings=0,
                report=report.build([finding], areas={}, checks={"agree": code != "checks_disagree"}),
                version=area_imports.c.version + 1,
            )
        return {"state": ImportState.FAILED.value}

    def _progress(self, fraction: float) -> None:
        self.context.progress(fraction)
        with self.context.transaction() as session:
            self._set(session, progress=fraction)

    def _set(self, session: Session, **values: Any) -> None:
        session.execute(
            update(area_imports)
            .where(area_imports.c.import_id == self.import_id)
            .values(updated_at=text("now()"), **values)
        )


def _findings(problems: Sequence[topology.Problem], indexes: dict[str, int], reading: Reading) -> list[Finding]:
    """The tree's and the linework's problems; a whole county that could not be read is not also called missing."""
    if not reading.areas:
        return []
    return [Finding("error", problem, indexes.get(problem.codes[0]) if problem.codes else None) for problem in problems]


def _levels(areas: Sequence[Area]) -> dict[str, int]:
    counts = Counter(area.level.value for area in areas)
    return {level.value: counts[level.value] for level in Level}


JOBS: dict[str, Callable[[JobContext], dict[str, Any] | None]] = {"validate_area_import": validate_import}
