"""Every read of hazards carries the reader's scope."""

from uuid import UUID

import pytest

from backbone.statements import Query, compiled, registered
from contracts.hazards.commands import CaseFilter
from contracts.scope import Scope, Sensitivity
from services.hazards import queries

SCOPE = Scope(areas=("330499/330499101/",), ceiling=Sensitivity.OPEN, agency_id=UUID(int=7))
ONE = UUID(int=1)
READS = {
    "case_by_id": lambda scope: queries.case_by_id(scope, ONE),
    "case_standing": lambda scope: queries.case_standing(scope, ONE),
    "case_history": lambda scope: queries.case_history(scope, ONE),
    "case_list": lambda scope: queries.case_list(scope, CaseFilter(state=["closed"], category=["fire"])),
    "case_facets": lambda scope: queries.case_facets(scope, CaseFilter(source=["phone"])),
    "case_points": lambda scope: queries.case_points(scope, [ONE]),
    "case_tile": lambda scope: queries.case_tile(scope, 12, 3417, 1672),
    "routing": lambda scope: queries.routing(scope),
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
