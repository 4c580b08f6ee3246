"""Who sees what: the rule, its SQL, every read's predicate, row policies, and what a command may touch."""

from __future__ import annotations

from tests.mutants.guard import Guard

POLICY = "backbone/policy.py"
AGREES = "tests/integration/backbone/test_policy_agrees.py::test_python_and_postgresql_agree_on_who_sees_what"
UNIT = "tests/unit/backbone/test_policy.py::"
CARRIES = "tests/architecture/test_reads_carry_the_scope.py::test_the_statement_carries_the_scope"
NEAREST = "tests/integration/grid/test_nearest_devices.py::test_the_nearest_are_those_of_an_exact_count_over_all"
DEVICES = "services/grid/queries/devices.py"
POSITIONS = "services/patrol/migrations/versions/0001_expand_positions.py"
ROWS = "tests/integration/patrol/test_row_security.py::"

MATRIX = "tests/integration/gateway/test_grid_scope.py::test_everybody_sees_what_is_theirs_and_nothing_else"
LISTS = "tests/integration/gateway/test_case_lists.py::"
PLACE_TILES = f"{MATRIX}[/v1/tiles/places/{{z}}/{{x}}/{{y}}.mvt]"

GUARDS = (
    Guard(
        "reads: tiles of points",
        "backbone/point_tiles.py",
        "conditions = (*_inside(geom), predicate(scope, visible), *where)",
        "conditions = (*_inside(geom), *where)",
        (CARRIES,),
    ),
    Guard(
        "tiles: kept for readers of the same scope alone",
        "gateway/routes/tiles.py",
        "tile = await platform.tiles.get(key, make, lasting=False)",
        "tile = await platform.tiles.get((layer.name, z, x, y), make, lasting=False)",
        (PLACE_TILES,),
    ),
    Guard(
        "tiles: of what is one's own, kept for that account alone",
        "gateway/routes/tiles.py",
        "own = actor.account_id if asked is not None and asked.mine is not None else None",
        "own = None",
        (f"{LISTS}test_the_map_takes_the_filters_of_the_list",),
    ),
    Guard(
        "tiles: of areas, kept for readers of the same scope alone",
        "gateway/routes/tiles.py",
        "platform.tiles.get((layer.name, version, digest, z, x, y)",
        "platform.tiles.get((layer.name, version, z, x, y)",
        (PLACE_TILES.replace("places", "areas"),),
    ),
    Guard(
        "rule: areas",
        POLICY,
        "any(area_path.startswith(root) for root in scope.areas)",
        "bool(scope.areas)",
        (f"{UNIT}test_taking_part_opens_a_row_and_nothing_else_opens_one_outside_the_areas",),
    ),
    Guard(
        "rule: sensitivity",
        POLICY,
        "and sensitivity <= scope.ceiling",
        "and sensitivity >= 0",
        (AGREES,),
    ),
    Guard(
        "rule: a category is no prefix",
        POLICY,
        'f"{category}.".startswith(f"{each}.")',
        "category.startswith(each)",
        (f"{UNIT}test_a_category_holds_what_stands_below_it_and_not_what_only_sounds_like_it",),
    ),
    Guard(
        "rule: taking part",
        POLICY,
        "scope.agency_id in agencies:",
        "scope.agency_id is False:",
        (f"{UNIT}test_taking_part_opens_a_row_and_nothing_else_opens_one_outside_the_areas",),
    ),
    Guard(
        "sql: the end of an area's range",
        POLICY,
        'column < cast(bindparam(f"scope_end_{n}"), Text),',
        'cast(bindparam(f"scope_end_{n}"), Text) != "",',
        (AGREES,),
    ),
    Guard(
        "sql: category",
        POLICY,
        "inside.append(or_(columns.category.is_(None), below))",
        "inside.append(or_(true(), below))",
        (AGREES,),
    ),
    Guard(
        "sql: sensitivity",
        POLICY,
        'inside.append(columns.sensitivity <= cast(bindparam("scope_ceiling"), Integer))',
        'inside.append(cast(bindparam("scope_ceiling"), Integer) >= 0)',
        (AGREES,),
    ),
    Guard(
        "sql: taking part",
        POLICY,
        'rule = or_(rule, columns.agencies.op("@>", is_comparison=True)(mine))',
        'rule = or_(rule, columns.agencies.op("@>", is_comparison=True)(mine), true())',
        (AGREES,),
    ),
    Guard(
        "reads: devices",
        DEVICES,
        ".where(predicate(scope, DEVICES), *conditions)",
        ".where(*conditions)",
        (CARRIES,),
    ),
    Guard(
        "reads: one device",
        DEVICES,
        '.where(_d.device_id == bindparam("device_id", type_=Uuid()), predicate(scope, DEVICES))',
        '.where(_d.device_id == bindparam("device_id", type_=Uuid()))',
        (CARRIES,),
    ),
    Guard(
        "reads: views of cameras",
        DEVICES,
        """.where(predicate(scope, DEVICES), _d.kind == literal_column("'camera'")""",
        """.where(_d.kind == literal_column("'camera'")""",
        (CARRIES,),
    ),
    Guard(
        "reads: the nearest within reach",
        "services/grid/queries/nearest.py",
        ".where(predicate(scope, columns), func.ST_DWithin(place, here, reach)",
        ".where(func.ST_DWithin(place, here, reach)",
        (NEAREST,),
    ),
    Guard(
        "reads: the nearest that give the reach",
        "services/grid/queries/nearest.py",
        "                predicate(scope, columns),\n",
        "",
        (NEAREST,),
    ),
    Guard(
        "reads: one case",
        "services/hazards/queries/cases.py",
        'C.id == bindparam("case_id", type_=Uuid()), predicate(scope, VISIBILITY)\n        )\n\n'
        '    return Query(("hazards.case_by_id"',
        'C.id == bindparam("case_id", type_=Uuid())\n        )\n\n    return Query(("hazards.case_by_id"',
        (CARRIES,),
    ),
    Guard(
        "reads: list of cases",
        "services/hazards/queries/lists.py",
        ".where(predicate(scope, VISIBILITY))",
        "",
        ("tests/unit/hazards/test_queries.py::test_the_rule_stands_over_whatever_the_branches_found",),
    ),
    Guard(
        "reads: areas",
        "services/grid/queries/areas.py",
        ".where(predicate(scope, AREAS), *conditions)",
        ".where(*conditions)",
        (CARRIES,),
    ),
    Guard(
        "reads: agencies",
        "services/grid/queries/registry.py",
        ".where(predicate(scope, AGENCIES), *conditions)",
        ".where(*conditions)",
        (CARRIES,),
    ),
    Guard(
        "reads: shifts",
        "services/patrol/queries/duty.py",
        ".where(predicate(scope, SHIFT), *(condition",
        ".where(*(condition",
        (CARRIES,),
    ),
    Guard(
        "reads: the journal as it was told",
        "services/notify/queries.py",
        "predicate(scope, _visibility(journal.c)),",
        "true(),",
        (
            "tests/integration/notify/test_journal.py"
            "::test_what_was_told_above_ones_rights_stays_out_of_the_pages_when_its_case_is_lowered",
        ),
    ),
    Guard(
        "reads: the journal as it is now",
        "services/notify/queries.py",
        "predicate(scope, _visibility(latest.c)),",
        "true(),",
        ("tests/integration/notify/test_journal.py::test_pages_follow_one_another_under_scope_and_filters",),
    ),
    Guard(
        "reads: the query key holds the scope's shape",
        POLICY,
        "return (len(scope.areas), scope.categories is not None, scope.agency_id is not None)",
        "return (1,)",
        ("tests/architecture/test_reads_carry_the_scope.py::test_shapes_of_other_scopes_have_other_keys",),
    ),
    Guard(
        "row policy: no purpose, no history",
        POSITIONS,
        "(SELECT coalesce(current_setting('pingan.purpose', true), '')) <> ''",
        "true",
        (f"{ROWS}test_a_track_without_purpose_is_refused_and_without_settings_empty",),
    ),
    Guard(
        "row policy: positions",
        POSITIONS,
        "ALTER TABLE patrol.positions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
        "",
        (f"{ROWS}test_without_settings_the_readers_role_sees_no_row",),
    ),
    Guard(
        "row policy: a partition is no door",
        POSITIONS,
        "EXECUTE format('REVOKE ALL ON patrol.%I FROM patrol_app, patrol_read', partition);",
        "",
        (f"{ROWS}test_a_partition_is_nobodys_door",),
    ),
    Guard(
        "cases: not visible is not there",
        "services/hazards/commands/moving.py",
        "    require_visible(\n",
        "    dict(\n        scope=",
        ("tests/integration/hazards/test_moving.py::test_what_one_may_not_see_does_not_exist",),
    ),
    Guard(
        "shifts: not visible is not there",
        "services/patrol/commands.py",
        "if not _visible(actor, area_path, agency_id):",
        "if area_path is None:",
        (
            "tests/integration/patrol/test_commands.py"
            "::test_officers_move_their_own_agencys_shifts_and_strangers_do_not_see_them",
        ),
    ),
    Guard(
        "registry: inside one's own areas",
        "services/grid/commands/rights.py",
        "require_visible(actor.scope, area_path=path)",
        "del path",
        ("tests/integration/grid/test_registry.py::test_an_operator_writes_inside_its_areas_only",),
    ),
    Guard(
        "registry: the county's role",
        "services/grid/commands/rights.py",
        "if not (actor.scope.unrestricted or actor.has(Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR)):",
        "if actor is None:",
        ("tests/integration/grid/test_registry.py::test_only_the_county_writes_the_registry",),
    ),
    Guard(
        "record of reads: nobody changes it",
        "gateway/access/migrations/versions/0001_expand_accounts.py",
        "REVOKE UPDATE, DELETE, TRUNCATE ON access.read_audit FROM access_app;",
        "",
        ("tests/integration/gateway/test_access_schema.py::test_the_records_of_reads_and_changes_are_added_to_alone",),
    ),
)
