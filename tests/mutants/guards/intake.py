"""What comes in: whose an upload is, what a file is, what a reader's copy tells, when a code may be guessed."""

from __future__ import annotations

from tests.mutants.guard import Guard

FILES, INTAKE = "tests/integration/hazards/test_files.py::", "tests/integration/hazards/test_intake.py::"
FOLLOWING = "tests/integration/hazards/test_following.py::"
ATTACHMENTS, PUBLIC = "tests/unit/gateway/test_attachments.py::", "tests/integration/gateway/test_public_reports.py::"

GUARDS = (
    Guard(
        "uploads: their owner's alone",
        "services/hazards/commands/filing.py",
        "WHERE id = ANY (CAST(:ids AS uuid[])) AND uploader_account_id = :account RETURNING *",
        "WHERE id = ANY (CAST(:ids AS uuid[])) AND :account IS NOT NULL RETURNING *",
        (f"{FILES}test_only_the_uploader_may_add_it_and_only_once",),
    ),
    Guard(
        "files: bytes that something speaks of stay",
        "services/hazards/jobs/copies.py",
        "            blobs -= set(session",
        "            blobs & set(session",
        (f"{FILES}test_bytes_are_removed_when_nothing_speaks_of_them_and_not_sooner",),
    ),
    Guard(
        "files: two things at once",
        "gateway/attachments/__init__.py",
        'if kind is not FileKind.DOCUMENT and b"%PDF-" in content[:1024]:',
        "if kind is None:",
        (f"{ATTACHMENTS}test_what_is_two_things_at_once_is_refused",),
    ),
    Guard(
        "files: documents that act",
        "gateway/attachments/paper_judge.py",
        'return "active" if any(_acts(each) for each in _objects(reader)) else f"pages {pages}"',
        'return f"pages {pages}"',
        (f"{ATTACHMENTS}test_a_document_that_acts_is_refused",),
    ),
    Guard(
        "recordings: no tags",
        "services/hazards/jobs/sounds.py",
        "            blank[box.body : box.end] = bytes(box.end - box.body)",
        "            pass",
        ("tests/unit/hazards/test_sounds.py::test_no_copy_tells_where_it_was_recorded_and_it_lasts_as_long",),
    ),
    Guard(
        "reports: a plausible time",
        "services/hazards/commands/reporting.py",
        "    if not is_plausible(occurred_at, now):",
        "    if occurred_at is None:",
        (f"{INTAKE}test_a_time_in_the_future_or_long_ago_is_refused",),
    ),
    Guard(
        "my reports: a case out of sight",
        "services/hazards/queries/reports.py",
        "shown = case((predicate(scope, VISIBILITY), json_object(**summary())))",
        "shown = json_object(**summary())",
        (f"{INTAKE}test_of_a_case_that_left_my_sight_i_am_told_the_stage_alone",),
    ),
    Guard(
        "follow codes: guessing ends",
        "gateway/routes/follow.py",
        "    platform.follow_limit.take(address)",
        "    platform.follow_limit.give_back(address)",
        (f"{PUBLIC}test_a_slip_is_told_from_a_code_that_nobody_has_and_guessing_ends_soon",),
    ),
    Guard(
        "follow codes: only a bad rating has a case handled again",
        "services/hazards/domain/satisfaction.py",
        "    return None if rating > BAD_RATING else rated_at + timedelta(days=reopen_days)",
        "    return rated_at + timedelta(days=reopen_days)",
        (f"{FOLLOWING}test_content_or_too_late_nobody_has_it_handled_again_by_code",),
    ),
    Guard(
        "emergencies: said when the category is corrected into one",
        "services/hazards/commands/moving.py",
        "    emergencies.follow(session, row, after, now)\n",
        "",
        (f"{INTAKE}test_a_case_that_is_corrected_into_an_emergency_is_said_to_the_duty_desks_once",),
    ),
)
