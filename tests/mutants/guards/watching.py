"""Watching over cases: who was at the place, who may lift what, what may rest in what, visits said once."""

from __future__ import annotations

from tests.mutants.guard import Guard

EFFECTS = "services/hazards/commands/effects"
T = "tests/integration/hazards/"
MERGING, SUPERVISION = f"{T}test_merging.py::", f"{T}test_supervision.py::"

GUARDS = (
    Guard(
        "checks: the accuracy counts against the checker",
        "services/hazards/domain/on_site.py",
        "return distance_m + accuracy_m <= radius_m",
        "return distance_m <= radius_m",
        ("tests/unit/hazards/test_watching.py::test_the_radius_itself_is_still_on_site_and_beyond_is_not",),
    ),
    Guard(
        "reviews: not by who checked",
        f"{EFFECTS}/checks.py",
        "if checker == moving.actor.account_id:",
        "if checker is None:",
        (f"{SUPERVISION}test_a_major_hazard_closes_only_after_leader_listing_and_review_and_says_what_is_missing",),
    ),
    Guard(
        "supervision: another's step is not lifted",
        f"{EFFECTS}/supervision.py",
        "if issuers - {moving.actor.agency_id} and moving.actor.roles.isdisjoint(COUNTY):",
        "if not issuers:",
        (f"{SUPERVISION}test_who_stepped_up_to_red_does_not_cancel_the_countys_yellow_with_it",),
    ),
    Guard(
        "listings: a number is given once",
        f"{EFFECTS}/supervision.py",
        "    if moving.session.execute(made).first() is None:\n        raise ListingNoTaken",
        "    if moving.session.execute(made).first() is None and public is None:\n        raise ListingNoTaken",
        (f"{SUPERVISION}test_a_number_is_never_given_twice_even_when_its_listing_is_over",),
    ),
    Guard(
        "public list: only what its issuer made public",
        "services/hazards/queries/supervision.py",
        "N.public, _IN_FORCE,",
        "N.public.is_not(None), _IN_FORCE,",
        (f"{SUPERVISION}test_lists_of_listings_and_visits_carry_the_scope_and_page",),
    ),
    Guard(
        "merging: locked in one order",
        "services/hazards/commands/moving.py",
        "    lock_in_order(session, command)\n",
        "",
        (f"{MERGING}test_of_two_cases_merged_into_each_other_at_once_one_wins",),
    ),
    Guard(
        "merging: nothing into a less sensitive case",
        f"{EFFECTS}/merging.py",
        'if target["sensitivity"] < row["sensitivity"]:',
        "if target is None:",
        (f"{MERGING}test_a_sensitive_case_does_not_go_where_more_people_read",),
    ),
    Guard(
        "visits: marked when they are said",
        "services/hazards/visits.py",
        '    session.execute(_MISSED, {"ids": list(missed.values()), "now": now})\n',
        "",
        (f"{SUPERVISION}test_a_missed_visit_is_said_once_and_may_still_be_made",),
    ),
)
