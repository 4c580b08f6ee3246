"""Staff: who is there on a day, whose posts go where, and whom nobody else looks through."""

from __future__ import annotations

from tests.mutants.guard import Guard

LEAVES, POSTS = "tests/integration/grid/test_leaves.py::", "tests/integration/grid/test_posts.py::"
MODEL = f"{LEAVES}test_absences_in_any_order_give_what_a_model_gives_day_by_day"

GUARDS = (
    Guard(
        "staff: one absence at a time is judged",
        "services/grid/commands/leaves.py",
        "    session.execute(_ONE_LEAVE_AT_A_TIME)",
        "    session.execute(text('SELECT 1'))",
        (f"{LEAVES}test_two_absences_noted_at_once_are_told_apart",),
    ),
    Guard(
        "staff: nobody is away twice",
        "services/grid/commands/leaves.py",
        "    if command.person_id in away:",
        "    if command.person_id in ():",
        (f"{LEAVES}test_what_cannot_be_is_refused_by_name",),
    ),
    Guard(
        "staff: a substitute out of sight does not exist",
        "services/grid/commands/leaves.py",
        "if person not in known or not _in_sight(actor, known[person]):",
        "if person not in known:",
        (f"{LEAVES}test_absences_are_noted_and_seen_where_the_agency_is",),
    ),
    Guard(
        "staff: a substitute who is away does not stand in",
        "services/grid/queries/posts.py",
        "        not_(gone_too),",
        "        persons.c.active,",
        (f"{LEAVES}test_whoever_goes_away_while_standing_in_leaves_the_post_vacant_and_is_told", MODEL),
    ),
    Guard(
        "staff: posts of places do not answer for the area",
        "services/grid/queries/posts.py",
        "_p.place_id.is_(None),\n            not_(",
        "_p.post_id.is_not(None),\n            not_(",
        (f"{POSTS}test_a_post_of_a_place_lies_in_the_places_area_and_answers_for_the_place_alone",),
    ),
    Guard(
        "staff: posts of places go by geometry",
        "services/grid/jobs/changing.py",
        ".where(p.area_path == func.any(cast(list(paths), _TEXTS)), p.place_id.is_(None))",
        ".where(p.area_path == func.any(cast(list(paths), _TEXTS)))",
        (f"{POSTS}test_a_split_takes_posts_of_places_by_geometry_and_never_by_the_plan",),
    ),
    Guard(
        "staff: a place out of sight does not exist",
        "services/grid/commands/posts.py",
        "if place is None or not _in_sight(actor, place.area_path):",
        "if place is None:",
        (f"{POSTS}test_a_place_must_be_there_be_open_and_be_in_sight",),
    ),
    Guard(
        "staff: only the own agency is looked through",
        "gateway/routes/staff.py",
        "    return replace(actor.scope, areas=())",
        "    return replace(actor.scope)",
        ("tests/integration/gateway/test_staff.py::test_only_the_own_agency_and_the_county_see_who_is_away",),
    ),
    Guard(
        "staff: another system's id is one entity's",
        "services/grid/commands/references.py",
        "    if taken is not None:",
        "    if taken is False:",
        (f"{POSTS}test_other_systems_ids_are_unique_looked_up_and_replaced_as_a_whole",),
    ),
    Guard(
        "first load: ids are made of the file's codes",
        "cli/first_load/known.py",
        'return str(uuid5(NAMESPACE_URL, f"pingan-import/{self.county}/{entity}/{self.system}/{code}"))',
        "return str(__import__('uuid').uuid4())",
        (
            "tests/unit/cli/test_first_load_planning.py"
            "::test_the_same_row_has_the_same_id_on_every_run_and_another_in_another_system",
        ),
    ),
)
