"""Categories and routing: answers, versions, shadows, what a run may touch, whose rules one tries."""

from __future__ import annotations

from tests.mutants.guard import Guard

H, U = "tests/integration/hazards/", "tests/unit/hazards/"
DRY, BOOK, RULES = (
    "services/hazards/queries/dry_runs.py",
    "services/hazards/domain/routing.py",
    "services/hazards/commands/routing.py",
)

GUARDS = (
    Guard(
        "answers: what does not fit is refused",
        "services/hazards/domain/answers.py",
        "        elif (value := _fitting(question, answer)) is None:",
        "        elif (value := _fitting(question, answer) or answer) is None:",
        (f"{U}test_answers.py::test_an_answer_that_does_not_fit_names_its_question_and_what_would",),
    ),
    Guard(
        "categories: If-Match",
        "services/hazards/commands/categories.py",
        'if command.expected_version not in (None, known["version"]):',
        "if command.expected_version == 0:",
        (f"{H}test_categories.py::test_a_put_of_what_somebody_else_changed_meanwhile_is_stale",),
    ),
    Guard(
        "categories: what is in use stays active",
        "services/hazards/commands/categories.py",
        "    if children or rules:\n",
        "    if children and rules and not code:\n",
        (f"{H}test_categories.py::test_one_that_rules_or_categories_below_use_is_not_deactivated",),
    ),
    Guard(
        "categories: a migration's set does not change",
        "services/hazards/domain/default_categories/fire.py",
        '"燃气安全",',
        '"燃气",',
        (f"{U}test_default_categories.py::test_what_migrations_bring_does_not_change",),
    ),
    Guard(
        "rules: time, source and grade are asked",
        BOOK,
        "rule for key in keys for rule in self.rules.get(key, ()) if not misses(rule, asked)",
        "rule for key in keys for rule in self.rules.get(key, ())",
        (f"{U}test_routing.py::test_a_rule_says_on_what_it_fails",),
    ),
    Guard(
        "rules: a shadow covers the time too",
        BOOK,
        "        and one.times.cover(other.times)\n",
        "",
        (f"{U}test_routing.py::test_one_rule_covers_another_exactly_when_no_case_is_left_over",),
    ),
    Guard(
        "rules: inside one's areas",
        RULES,
        "    if not in_areas(actor, area_path):\n        raise NotAllowed(",
        "    if actor is None:\n        raise NotAllowed(",
        (f"{H}test_routing_rules.py::test_what_is_wrong_with_a_rule_is_refused_or_said",),
    ),
    Guard(
        "rules: those of closed agencies do not count",
        "services/hazards/queries/routing_book.py",
        "return _all(row, R.active, _active(R.agency_id), matching",
        "return _all(row, R.active, matching",
        (f"{H}test_routing_rules.py::test_a_rule_of_a_closed_agency_shadows_nothing",),
    ),
    Guard(
        "runs: only cases that wait",
        "services/hazards/jobs/rerouting.py",
        "where = [IS_UNDISPATCHED, predicate(scope, VISIBILITY)]",
        "where = [predicate(scope, VISIBILITY)]",
        (
            f"{H}test_routing_rules.py::"
            "test_a_run_suggests_for_waiting_cases_and_touches_nothing_that_is_with_an_agency",
        ),
    ),
    Guard(
        "runs: under the scope of who asked",
        "services/hazards/jobs/rerouting.py",
        "where = [IS_UNDISPATCHED, predicate(scope, VISIBILITY)]",
        "where = [IS_UNDISPATCHED]",
        (f"{H}test_routing_rules.py::test_a_run_looks_at_no_case_that_its_asker_may_not_see",),
    ),
    Guard(
        "dry runs: others' rules are not tried",
        DRY,
        "            if not in_areas(actor, path):\n",
        "            if actor is None:\n",
        (f"{H}test_dry_runs.py::test_a_dry_run_refuses_what_a_put_would",),
    ),
    Guard(
        "dry runs: under the caller's scope",
        DRY,
        ".where(predicate(scope, VISIBILITY), C.reported_at >= since, *where)",
        ".where(C.reported_at >= since, *where)",
        (f"{H}test_dry_runs.py::test_a_dry_run_counts_who_would_go_where_and_writes_nothing",),
    ),
)
