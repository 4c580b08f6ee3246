"""Places: the code on the door, who is named to whom, members and lists that keep to the scope."""

from __future__ import annotations

from tests.mutants.guard import Guard

CODES, PUBLIC = "gateway/place_codes.py", "gateway/routes/public.py"
CARDS, ALLIANCES = "services/grid/queries/place_cards.py", "services/grid/queries/alliances.py"
UNIT, REAL, API = (
    "tests/unit/gateway/test_place_codes.py::",
    "tests/integration/grid/test_places.py::",
    "tests/integration/gateway/test_places.py::",
)
AMONG = "tests/integration/grid/test_places_among_others.py::"

GUARDS = (
    Guard(
        "code: the signature",
        CODES,
        "if not right or key is None:",
        "if key is None:",
        (f"{UNIT}test_of_five_thousand_forged_tokens_none_is_taken",),
    ),
    Guard(
        "code: a key that was taken away",
        CODES,
        "key = self._keys.get(head[0])",
        "key = self._keys.get(head[0], self._keys[self._newest])",
        (f"{UNIT}test_the_signature_covers_the_key_id",),
    ),
    Guard(
        "code: a key of its own",
        CODES,
        'hmac.new(secret.encode(), b"pingan place code v1", hashlib.sha256).digest()',
        "secret.encode()",
        (f"{UNIT}test_codes_are_signed_by_a_key_of_their_own",),
    ),
    Guard(
        "code: revoked or closed",
        PUBLIC,
        'if row["serial"] != serial or not row["active"]:',
        'if not row["active"]:',
        (f"{API}test_a_revoked_code_is_gone_at_once_and_the_new_one_opens",),
    ),
    Guard(
        "code: asked too often",
        PUBLIC,
        "platform.public_limit.take(address_of(request))",
        "address_of(request)",
        (f"{API}test_an_address_that_asks_too_often_waits",),
    ),
    Guard(
        "place: names of responsible persons",
        CARDS,
        'if names or key != "name"',
        'if names or key != "nobody"',
        (f"{REAL}test_who_may_not_know_names_gets_role_and_duty_phone",),
    ),
    Guard(
        "alliance: members in scope",
        ALLIANCES,
        "p.place_id == func.any(A.members), predicate(scope, PLACES)",
        "p.place_id == func.any(A.members)",
        (f"{AMONG}test_a_reader_sees_of_an_alliance_what_it_sees_of_its_places",),
    ),
    Guard(
        "alliance: a question after a place",
        ALLIANCES,
        'filters["place"] = (member & seen, {"places": [place_id]})',
        'filters["place"] = (member | seen, {"places": [place_id]})',
        (f"{AMONG}test_a_reader_sees_of_an_alliance_what_it_sees_of_its_places",),
    ),
    Guard(
        "place: alliances in scope",
        CARDS,
        "predicate(scope, ALLIANCES),",
        "a.active,",
        (f"{AMONG}test_a_reader_sees_of_an_alliance_what_it_sees_of_its_places",),
    ),
    Guard(
        "place: nearest on the ellipsoid",
        "services/grid/queries/nearest.py",
        ".order_by(distance, row_id)",
        '.order_by(table.c.geom.op("<->")(func.geometry(here)))',
        (f"{AMONG}test_the_nearest_places_are_those_that_the_ellipsoid_says",),
    ),
)
