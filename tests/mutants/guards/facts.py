"""The facts themselves: versions, checks by others, imports, boundaries, coordinates, positions."""

from __future__ import annotations

from tests.mutants.guard import Guard

MOVES, IMPORTS, VERSIONS, AREAS = (
    "services/hazards/domain/moves.py",
    "services/grid/commands/imports.py",
    "services/grid/commands/versions.py",
    "backbone/areas_projection.py",
)
STORE, PIPELINE = "services/patrol/ingest/store.py", "services/patrol/ingest/pipeline.py"
H, G, P = "tests/integration/hazards/", "tests/integration/grid/", "tests/integration/patrol/"
MACHINE, CELLS, TOPOLOGY = (
    "tests/unit/hazards/test_machine.py::",
    "tests/unit/geo/test_cells.py::",
    "tests/unit/geo/test_topology.py::",
)

GUARDS = (
    Guard(
        "cases: If-Match",
        "services/hazards/commands/moving.py",
        'if row["version"] != command.expected_version:',
        'if row["version"] is None:',
        (f"{H}test_moving.py::test_a_stale_version_comes_with_the_current_state",),
    ),
    Guard(
        "cases: checked by another person",
        MOVES,
        "if rule.who is Who.NOT_HANDLER and _handled(standing, actor):",
        "if standing is None:",
        (f"{MACHINE}test_neither_the_handler_nor_a_colleague_checks",),
    ),
    Guard(
        "cases: the lead agency's moves",
        MOVES,
        "if actor.agency_id != standing.lead_agency_id:",
        "if actor is None:",
        (f"{MACHINE}test_only_the_lead_agency_accepts_returns_starts_and_finishes",),
    ),
    Guard(
        "cases: inside one's areas",
        MOVES,
        "if not in_areas(actor, standing.area_path):",
        "if actor is None:",
        (f"{MACHINE}test_operators_move_only_what_lies_in_their_areas",),
    ),
    Guard(
        "cases: roles",
        MOVES,
        "    if actor.roles.isdisjoint(roles):\n        return NotAllowed(f\"'{rule.move.value}'",
        "    if actor is None:\n        return NotAllowed(f\"'{rule.move.value}'",
        (f"{MACHINE}test_roles_come_before_fields",),
    ),
    Guard(
        "cases: history is only added to",
        "services/hazards/migrations/versions/0001_expand_cases.py",
        "    FOR EACH ROW EXECUTE FUNCTION hazards.refuse_change();",
        "    FOR EACH ROW WHEN (false) EXECUTE FUNCTION hazards.refuse_change();",
        (f"{H}test_history_stays.py::test_not_even_its_owner_changes_history",),
    ),
    Guard(
        "cases: the service may only add to history",
        "services/hazards/migrations/versions/0001_expand_cases.py",
        "REVOKE UPDATE, DELETE, TRUNCATE ON hazards.case_history FROM hazards_app;",
        "",
        (f"{H}test_history_stays.py::test_the_service_has_no_right_to_change_history",),
    ),
    Guard(
        "cases: a page begins after the last row",
        "services/hazards/queries.py",
        "return tuple_(C.reported_at, C.id) < tuple_(",
        "return tuple_(C.reported_at, C.id) <= tuple_(",
        (f"{H}test_reading.py::test_pages_are_newest_first_whole_and_without_repeats",),
    ),
    Guard(
        "imports: published once",
        VERSIONS,
        "if state is ImportState.PUBLISHED:",
        "if state is None:",
        (f"{G}test_imports.py::test_an_import_is_published_once",),
    ),
    Guard(
        "imports: only when it is checked",
        VERSIONS,
        "if state in (ImportState.RECEIVED, ImportState.VALIDATING):",
        "if state is None:",
        (f"{G}test_imports.py::test_an_import_that_is_still_being_checked_cannot_be_published",),
    ),
    Guard(
        "imports: no errors",
        VERSIONS,
        "if state is not ImportState.VALID or row.errors:",
        "if state is None:",
        (f"{G}test_imports.py::test_an_import_with_errors_is_refused_with_its_report_and_nothing_changes",),
    ),
    Guard(
        "imports: this county's",
        IMPORTS,
        "if row.county_code != before.county_code:",
        "if row is None:",
        (f"{G}test_imports.py::test_two_counties_racing_into_an_empty_platform_do_not_both_win",),
    ),
    Guard(
        "imports: a voided code stays voided",
        IMPORTS,
        "    if voided:",
        "    if voided is None:",
        (f"{G}test_imports.py::test_a_voided_code_is_never_used_again",),
    ),
    Guard(
        "changes: of the boundary in force",
        IMPORTS,
        "    if row.base_version not in (None, before.version):",
        "    if row is None:",
        (f"{G}test_changes.py::test_a_change_of_a_boundary_that_was_changed_meanwhile_is_refused",),
    ),
    Guard(
        "changes: undone only while in force",
        "services/grid/commands/changes.py",
        "    if before is None or row.boundary_version != before.version:",
        "    if before is None:",
        (f"{G}test_changes.py::test_a_change_of_a_boundary_that_was_changed_meanwhile_is_refused",),
    ),
    Guard(
        "changes: numbers are never given twice",
        "services/grid/jobs/changing.py",
        "last_given({*self._areas, *ever_given(self._session, village)}, village)",
        "last_given({*self._areas}, village)",
        (f"{G}test_changes.py::test_numbers_that_an_undone_change_gave_are_not_given_again",),
    ),
    Guard(
        "imports: both checks agree",
        "services/grid/jobs/__init__.py",
        "        if differing:",
        "        if differing is None:",
        (f"{G}test_imports.py::test_the_checks_must_agree_or_the_import_has_failed",),
    ),
    Guard(
        "registry: If-Match",
        "services/grid/commands/upserts.py",
        "row.version != expected_version:",
        "row.version is None:",
        (f"{G}test_registry.py::test_a_stale_version_is_refused_with_the_new_state",),
    ),
    Guard(
        "areas: all of a version or none",
        AREAS,
        "return digest((code, sha) for code, sha in lines) == expected_digest",
        "return True",
        (f"{H}test_clocks_and_boundaries.py::test_a_version_whose_digest_differs_stays_out",),
    ),
    Guard(
        "areas: the newest version is in force",
        AREAS,
        ".order_by(boundaries.c.version.desc())",
        ".order_by(boundaries.c.version)",
        (f"{H}test_clocks_and_boundaries.py::test_an_older_version_that_arrives_late_does_not_take_over",),
    ),
    Guard(
        "agencies: the newest state wins",
        "backbone/projections.py",
        "where=statement.excluded[version] > table.c[version],",
        "",
        (f"{H}test_clocks_and_boundaries.py::test_the_newest_state_of_an_agency_wins",),
    ),
    Guard(
        "agencies: the newest of a batch wins",
        "backbone/projections.py",
        "if known is None or row[self._version] > known[self._version]:",
        "if row is not None:",
        (
            "tests/integration/backbone/test_projections.py::test_the_newest_state_wins_in_whatever_order_a_batch_has_it",
        ),
    ),
    Guard(
        "cells: never back to an older version",
        "geo/cells.py",
        "if cells.version <= self.current.version:",
        "if cells is None:",
        (f"{CELLS}test_a_holder_never_goes_back_to_an_older_version",),
    ),
    Guard(
        "cells: one answer on a shared edge",
        "geo/cells.py",
        "np.minimum.at(owners, which[hit], candidates[hit].astype(np.int32))",
        "owners[which[hit][::-1]] = candidates[hit][::-1].astype(np.int32)\n        "
        "owners[which[hit]] = candidates[hit].astype(np.int32)",
        (f"{CELLS}test_a_shared_edge_or_corner_belongs_to_the_smallest_path",),
    ),
    Guard(
        "cells: one answer, one point at a time",
        "geo/cells.py",
        "(owner < 0 or candidate < owner)",
        "(owner < 0 or candidate > owner)",
        (f"{CELLS}test_a_shared_edge_or_corner_belongs_to_the_smallest_path",),
    ),
    Guard(
        "partition: gap and overlap do not cancel",
        "geo/topology.py",
        "for piece, area in self._offending(shapely.difference(shapes[parent], union)):",
        "for piece, area in [(shapes[parent], a) for a in [float(shapely.area(shapes[parent]) - "
        "sum(shapely.area(own)))] if abs(a) > 1e-12]:",
        (f"{TOPOLOGY}test_an_equal_gap_and_overlap_do_not_cancel",),
    ),
    Guard(
        "partition: one square metre",
        "geo/topology.py",
        "if area > PIECE_M2:",
        "if area > PIECE_M2 * 100:",
        (f"{TOPOLOGY}test_a_gap_offends_above_one_square_metre",),
    ),
    Guard(
        "partition: what sticks out",
        "geo/topology.py",
        "shapely.difference(union, shapes[parent])",
        "shapely.Polygon()",
        (f"{TOPOLOGY}test_what_sticks_out_of_the_parent_lies_outside_it",),
    ),
    Guard(
        "coordinates: the inverse is iterated",
        "geo/coordinates.py",
        "_ROUNDS = 6",
        "_ROUNDS = 1",
        ("tests/unit/geo/test_coordinates.py::test_a_round_trip_over_china_ends_within_a_decimetre",),
    ),
    Guard(
        "positions: a batch once",
        STORE,
        "if batch.headers.batch_id not in seen:",
        "if seen is not None:",
        (f"{P}test_storing.py::test_a_redelivered_batch_is_stored_and_counted_once",),
    ),
    Guard(
        "positions: a fix once",
        PIPELINE,
        'work.keep(first, "duplicate")',
        'work.keep(first | True, "duplicate")',
        ("tests/unit/patrol/test_pipeline.py::test_shuffled_repeated_and_rebatched_fixes_give_the_same_rows",),
    ),
    Guard(
        "positions: on duty alone",
        PIPELINE,
        'work.keep(np.where(recent, hot, old) >= 0, "off_duty")',
        'work.keep(np.where(recent, hot, old) >= -1, "off_duty")',
        ("tests/unit/patrol/test_pipeline.py::test_what_may_not_be_stored_is_dropped_and_counted_by_its_batch",),
    ),
    Guard(
        "positions: one's own units",
        "services/patrol/ingest/roster.py",
        "if not any(is_within(area, root) for root in headers.areas):",
        "if area is None:",
        (
            "tests/unit/patrol/test_pipeline.py"
            "::test_units_of_another_agency_are_unknown_unless_they_lie_in_the_senders_areas",
        ),
    ),
    Guard(
        "positions: the newest stays",
        STORE,
        '" WHERE last.device_at < excluded.device_at"',
        '""',
        (f"{P}test_storing.py::test_a_process_that_knows_less_does_not_put_the_newest_fix_back",),
    ),
    Guard(
        "positions: read as WGS84",
        PIPELINE,
        'for crs in set(crs_of) - {"wgs84", "cgcs2000"}:',
        "for crs in set():",
        (f"{P}test_storing.py::test_positions_are_stored_as_wgs84",),
    ),
    Guard(
        "positions: what cannot be read is kept",
        "services/patrol/ingest/intake.py",
        'self._quarantine(m, "undecodable", e)',
        "asyncio.sleep(0)",
        (f"{P}test_process.py::test_what_cannot_be_read_goes_to_quarantine_and_its_neighbours_are_stored",),
    ),
    Guard(
        "shifts: If-Match",
        "services/patrol/commands.py",
        "if shift.version != command.expected_version:",
        "if shift.version is None:",
        (f"{P}test_commands.py::test_a_stale_move_is_refused_with_the_new_state",),
    ),
)
