"""Every read of hazards carries the reader's scope."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from backbone.statements import Query, compiled, registered
from contracts.hazards.commands import CaseFilter
from contracts.scope import Scope, Sensitivity
from services.hazards import queries

SCOPE = Scope(areas=("330499/330499101/",), ceiling=Sensitivity.OPEN, agency_id=UUID(int=7))
ONE, NOW = UUID(int=1), datetime(2026, 3, 1, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
READS = {
    "agency_returns": lambda scope: queries.agency_returns(scope, ONE, LONG_AGO, LONG_AGO),
    "history_export": lambda scope: queries.history_export(scope, ONE),
    "case_by_id": lambda scope: queries.case_by_id(scope, ONE),
    "case_standing": lambda scope: queries.case_standing(scope, ONE),
    "case_clocks_now": lambda scope: queries.case_clocks_now(scope, ONE),
    "case_history": lambda scope: queries.case_history(scope, ONE),
    "case_list": lambda scope: queries.case_list(scope, CaseFilter(state=["closed"], category=["fire"])),
    "case_facets": lambda scope: queries.case_facets(scope, CaseFilter(source=["phone"])),
    "case_points": lambda scope: queries.case_points(scope, [ONE]),
    "case_tile": lambda scope: queries.case_tile(scope, 12, 3417, 1672),
    "case_routing": lambda scope: queries.case_routing(scope, ONE),
    "case_file": lambda scope: queries.case_file(scope, ONE, ONE),
    "case_photo": lambda scope: queries.case_photo(scope, ONE, "0" * 64),
    "my_reports": lambda scope: queries.my_reports(scope, ONE),
    "followed": lambda scope: queries.followed(scope, "23456789ABCD"),
    "public_desk": lambda scope: queries.public_desk(scope),
    "routing": lambda scope: queries.routing(scope),
    "listing_list": lambda scope: queries.listing_list(scope, in_force=True),
    "public_listings": lambda scope: queries.public_listings(scope),
    "visit_list": lambda scope: queries.visit_list(scope, overdue=True),
    "check_list": lambda scope: queries.check_list(scope, ONE, ONE),
    "similar_cases": lambda scope: queries.similar_cases(scope, "fire", 120.0, 30.0, NOW),
    "similar_asked": lambda scope: queries.similar_asked(scope, ONE),
    "satisfaction": lambda scope: queries.satisfaction(scope, NOW, NOW),
    "satisfaction_by_agency": lambda scope: queries.satisfaction_by_agency(scope, NOW, NOW),
    "routing_run": lambda scope: queries.routing_run(scope, ONE),
    "routing_run_list": lambda scope: queries.routing_run_list(scope),
    "routing_dry_run": lambda scope: queries.routing_dry_run(scope, LONG_AGO),
    "category_dry_run": lambda scope: queries.category_dry_run(scope, "fire", LONG_AGO),
}


def test_no_read_is_forgotten_here() -> None:
    names = {name.rpartition(".")[2] for name in registered() if name.startswith("services.hazards.queries.")}
    # Quarantine is seen by whom the whole county is open to: tests/integration/gateway/test_quarantine.py.
    # What an account keeps is its own and lies in no area: tests/integration/hazards/test_lists.py.
    own = {"saved_filter_list", "saved_filter", "export_list", "export_by_id"}
    assert names - {"quarantine_page", "quarantine_entry"} - own == set(READS)


@pytest.mark.parametrize("name", READS)
def test_the_statement_names_the_scopes_areas(name: str) -> None:
    query: Query = READS[name](SCOPE)
    sql, arguments = compiled(query)
    assert "area_path >= " in sql
    assert {"330499/330499101/", "330499/3304991010"} <= {each for each in arguments if isinstance(each, str)}


def test_calls_of_one_shape_share_one_statement_and_others_do_not() -> None:
    first, second = (
        queries.case_list(SCOPE, CaseFilter(category=["fire"])),
        queries.case_list(SCOPE, CaseFilter(category=["school"])),
    )
    assert first.key == second.key
    assert first.key != queries.case_list(SCOPE, CaseFilter(source=["phone"])).key
    one, two = CaseFilter(state=["closed"]), CaseFilter(state=["closed", "voided"])
    assert queries.case_list(SCOPE, one).key != queries.case_list(SCOPE, two).key


@pytest.mark.parametrize("asked", [CaseFilter(), CaseFilter(state=["closed"]), CaseFilter(search="井盖")])
def test_the_rule_stands_over_whatever_the_branches_found(asked: CaseFilter) -> None:
    sql, _ = compiled(queries.case_list(SCOPE, asked))
    over = sql.partition("AS found JOIN")[2]
    assert "area_path >= " in over
    assert "participants @> " in over
    assert "sensitivity <= " in over
