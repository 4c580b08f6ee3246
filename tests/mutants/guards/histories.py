"""What keeps histories provable, agencies' parts single and families without circles."""

from __future__ import annotations

from tests.mutants.guard import Guard

CHAIN, RECORDS = "services/hazards/chain.py", "services/hazards/records.py"
FAMILIES = "services/hazards/commands/effects/families.py"
H, UNIT = "tests/integration/hazards/", "tests/unit/hazards/test_chain.py::"

GUARDS = (
    Guard(
        "history: each row follows the one before",
        CHAIN,
        'if row["previous"] != previous:',
        'if row["previous"] is None:',
        (f"{UNIT}test_every_edit_is_found",),
    ),
    Guard(
        "history: a digest is over the row's fields",
        CHAIN,
        'if row["digest"] != _row_digest(row["algorithm"], case_id, seq, row["previous"], digests):',
        'if row["digest"] is None:',
        (f"{UNIT}test_every_edit_is_found",),
    ),
    Guard(
        "history: the head is the last row's",
        CHAIN,
        'if head != history["head"]:',
        "if history is None:",
        (f"{UNIT}test_every_edit_is_found",),
    ),
    Guard(
        "history: a field is gone by an erasure alone",
        CHAIN,
        "if name not in ERASABLE or name not in erased:",
        "if name not in FIELDS:",
        (f"{UNIT}test_every_edit_is_found",),
    ),
    Guard(
        "history: a digest is salted",
        CHAIN,
        "random = os.urandom(_SALT * len(present))",
        "random = bytes(_SALT * len(present))",
        (f"{UNIT}test_equal_texts_have_digests_that_tell_nothing_of_one_another",),
    ),
    Guard(
        "history: a chain has no forks",
        RECORDS,
        ".where(c.id == heads.c.id, c.history_digest.is_not_distinct_from(heads.c.was))",
        ".where(c.id == heads.c.id)",
        (f"{H}test_proof.py::test_a_row_that_was_read_before_another_link_came_is_not_chained_on",),
    ),
    Guard(
        "history: an erasure is on record and no more than it",
        "services/hazards/migrations/versions/0011_expand_linkage_and_chain.py",
        "            AND to_jsonb(NEW) - 'salts' - fields = to_jsonb(OLD) - 'salts' - fields\n",
        "",
        (f"{H}test_proof.py::test_the_owner_erases_with_a_record_and_nothing_more",),
    ),
    Guard(
        "families: one at a time",
        "services/hazards/commands/moving.py",
        "    if command.move in families.LINKING:\n        families.one_at_a_time(session)\n",
        "",
        (f"{H}test_families.py::test_two_links_at_once_make_no_circle_and_wait_for_nobody",),
    ),
    Guard(
        "families: no circle",
        FAMILIES,
        "    if family.circle:\n",
        "    if family is None:\n",
        (f"{H}test_families.py::test_no_case_stands_below_itself",),
    ),
    Guard(
        "families: a parent that one sees",
        FAMILIES,
        "if seen is None or not visible(actor.scope, **seen):",
        "if seen is None:",
        (f"{H}test_families.py::test_what_ends_or_is_not_seen_is_no_parent",),
    ),
    Guard(
        "families: counted with every move of a child",
        "services/hazards/commands/moving.py",
        "    families.follow(session, row, after, by, now)\n",
        "",
        (f"{H}test_families.py::test_a_parent_closes_after_its_children",),
    ),
    Guard(
        "cases: a return comes in time",
        "services/hazards/queries/cases.py",
        "returnable=return_by is None or now <= return_by,",
        "returnable=True,",
        (f"{H}test_agencies.py::test_a_return_comes_in_time_or_not_at_all",),
    ),
    Guard(
        "cases: from the county by the county's hand alone",
        "services/hazards/domain/moves.py",
        "if rule.move is Move.HAND_DOWN and standing.level is CaseLevel.COUNTY:",
        "if rule is None:",
        ("tests/unit/hazards/test_machine.py::test_from_the_county_a_case_goes_down_by_the_countys_hand_alone",),
    ),
)
