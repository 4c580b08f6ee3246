"""Time: who rings a bell, what makes it ring once, and what holds it back."""

from __future__ import annotations

from tests.mutants.guard import Guard

RULES, TIME, ENGINE, ROWS, EFFECTS = (
    "services/hazards/domain/clocks.py",
    "services/hazards/domain/working_time.py",
    "services/hazards/deadlines.py",
    "services/hazards/clocks.py",
    "services/hazards/commands/effects/clocks.py",
)
H, M = "tests/integration/hazards/test_deadlines.py::", "tests/integration/hazards/test_more_time.py::"
C, W = "tests/unit/hazards/test_clocks.py::", "tests/unit/hazards/test_working_time.py::"

GUARDS = (
    Guard(
        "clocks: a case is claimed before it is said to be late",
        ENGINE,
        "    .with_for_update(of=cases, skip_locked=True)\n)\n# Read after",
        ")\n# Read after",
        (f"{H}test_two_replicas_at_once_say_everything_once",),
    ),
    Guard(
        "clocks: what has rung moves the clock on",
        ENGINE,
        "row = clocks.row_of(case_id, clocks.rang(clock))",
        "row = clocks.row_of(case_id, clock)",
        (f"{H}test_shares_the_miss_and_each_level_are_said_once_and_in_order",),
    ),
    Guard(
        "clocks: nothing rings while a clock stands still",
        RULES,
        "return bell if still is None or bell.at <= still else None",
        "return bell",
        (f"{C}test_standing_still_moves_what_has_not_rung",),
    ),
    Guard(
        "clocks: an extension says again only what is to come",
        RULES,
        "if bell.at > ran_until or bell.name not in said]",
        "if bell]",
        (f"{C}test_an_extension_says_again_only_what_is_still_to_come",),
    ),
    Guard(
        "clocks: a suspension ends when it was said to",
        ROWS,
        "return until if until is not None and until <= at else None",
        "return None",
        (f"{M}test_a_suspended_case_is_not_late_and_goes_on_by_itself_once",),
    ),
    Guard(
        "clocks: a day with a pause is not counted",
        TIME,
        "if day not in broken and (not working or self._is_working(day)):",
        "if not working or self._is_working(day):",
        (f"{W}test_golden_with_pauses",),
    ),
    Guard(
        "clocks: a last day of rest rolls over",
        TIME,
        "while not self._is_working(day) or day in broken:",
        "while day in broken:",
        (f"{W}test_golden",),
    ),
    Guard(
        "clocks: as many extensions as the category allows",
        EFFECTS,
        'if row["extensions"] >= allowed:',
        "if row is None:",
        (f"{M}test_more_time_is_asked_for_granted_and_counted",),
    ),
    Guard(
        "clocks: an escalation takes no case down a level",
        ENGINE,
        'max(CaseLevel(row["level"]), CaseLevel(bell.level), key=LEVELS.index).value',
        "CaseLevel(bell.level).value",
        (f"{H}test_an_escalation_never_takes_a_case_from_the_county_back_to_the_town",),
    ),
    Guard(
        "clocks: no simulated clock but on a demo",
        "backbone/clock.py",
        "    if not demo:\n",
        "    if demo is None:\n",
        ("tests/unit/backbone/test_clock.py::test_a_platform_that_is_no_demo_does_not_start_with_one",),
    ),
)
