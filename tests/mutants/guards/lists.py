"""Lists of cases: pages, figures, exports."""

from __future__ import annotations

from tests.mutants.guard import Guard

H = "tests/integration/hazards/"

GUARDS = (
    Guard(
        "cases: a page begins after the last row",
        "services/hazards/queries/lists.py",
        "return ours < tuple_(*given) if",
        "return ours <= tuple_(*given) if",
        (f"{H}test_reading.py::test_pages_are_newest_first_whole_and_without_repeats",),
    ),
    Guard(
        "figures: what is not folded yet is added",
        "services/hazards/queries/facets.py",
        "return [kept, changed]",
        "return [kept]",
        (f"{H}test_lists.py::test_figures_leave_an_area_with_the_cases",),
    ),
    Guard(
        "figures: what is overdue in the scope is not counted again for the agency",
        "services/hazards/queries/facets.py",
        'and_(takes_part("scope_agencies"), ~inside(scope))',
        'takes_part("scope_agencies")',
        (f"{H}test_lists.py::test_what_is_overdue_is_counted_in_every_scope_as_the_list_shows_it",),
    ),
    Guard(
        "exports: no text is a formula",
        "services/hazards/jobs/exporting.py",
        "and value.startswith(_FORMULA)",
        "and False",
        ("tests/unit/hazards/test_exporting.py::test_what_begins_like_a_formula_is_text",),
    ),
    Guard(
        "exports: the asker's alone",
        "services/hazards/queries/kept.py",
        'return and_(E.account_id == cast(bindparam("account_id"), Uuid), ours)',
        "return ours",
        (f"{H}test_lists.py::test_exports_are_the_askers_alone",),
    ),
    Guard(
        "exports: under the rights of the asking alone",
        "gateway/routes/case_exports.py",
        'if row["blob"] is None or scope_digest(then.scope) != scope_digest(actor.scope):',
        'if row["blob"] is None or then is None:',
        (
            "tests/integration/gateway/test_case_lists.py"
            "::test_an_export_is_given_under_the_rights_it_was_asked_under_alone",
        ),
    ),
    Guard(
        "exports: bytes that another has just put",
        "services/hazards/jobs/exporting.py",
        "files.remove(blob, (), files.PUT_LATELY_S)",
        "files.remove(blob, (), 0.0)",
        (f"{H}test_exports.py::test_bytes_that_another_export_has_just_put_stay",),
    ),
    Guard(
        "exports: what nobody finished expires",
        "services/hazards/commands/exports.py",
        "WHERE state IN ('asked', 'writing', 'ready') AND expires_at < :now",
        "WHERE state IN ('ready') AND expires_at < :now",
        (f"{H}test_exports.py::test_what_no_worker_could_finish_expires_and_stands_in_nobodys_way",),
    ),
)
