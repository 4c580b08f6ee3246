"""What the probes of test_grid_scope are built of: lists walked to their end, refusals compared, cursors stolen."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import shapely

from gateway import cursors
from tests.integration.gateway.scoped_county import COUNTY, ORDER, STEP, Fact, Viewer, World

Probe = Callable[[World, Viewer], None]
PAGE = 4
TOWN, OTHER = "330411/330411101/", "330411/330411102/"
VILLAGE = f"{OTHER}330411102201/"
WHERE = [COUNTY, TOWN, OTHER, VILLAGE, f"{VILLAGE}330411102201001/"]
BOXES = [
    (120.0, 30.0, 120.0 + STEP / 2, 30.0 + STEP / 2),
    (120.0 + STEP * 1.2, 30.0 + STEP * 1.7, 120.0 + STEP * 2.2, 30.0 + STEP * 2.2),
    (-180.0, -90.0, 180.0, 90.0),
    (100.0, 20.0, 101.0, 21.0),
]
ID = {"area": "code", "agency": "agency_id", "jurisdiction": "jurisdiction_id", "post": "post_id",
       "place": "place_id", "import": "import_id", "overlay": "overlay_id", "device": "device_id"}  # fmt: skip


def ids(facts: list[Fact]) -> list[str]:
    return [each.id for each in facts]


def like(answer: httpx.Response) -> tuple[Any, ...]:
    """What a caller can tell two refusals apart by."""
    body = {name: value for name, value in answer.json().items() if name not in ("trace_id", "instance")}
    named = {"x-trace-id", "x-correlation-id", "date", "content-length"}
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in named)
    return answer.status_code, json.dumps(body, sort_keys=True), headers


def listed(world: World, viewer: Viewer, kind: str, path: str, keep: Callable[[Fact], bool], /, **filters: Any) -> None:
    """Every page of a list: the right rows in the right order, and `next` only where a visible row follows."""
    wanted, found, after = ids(world.seen(viewer, kind, keep)), [], None
    while True:
        params = {"limit": PAGE, **filters, **({"after": after} if after else {})}
        answer = world.get(viewer, path, **params)
        assert answer.status_code == 200, (viewer, path, params, answer.text)
        page = answer.json()
        found += [each[ID[kind]] for each in page["items"]]
        following = page["next"]
        assert (following is not None) is (len(found) < len(wanted)), (viewer.login, path, filters)
        if following is None:
            break
        # A cursor holds what the last row of its page shows, and nothing of the row after it.
        last = json.dumps(page["items"][-1], ensure_ascii=False)
        for value in cursors.decode(_CURSORS[kind], following) or ():
            assert isinstance(value, datetime) or str(value) in last, (viewer.login, path, value)
        after = following
    assert found == wanted, (viewer.login, path, filters)


_CURSORS = {"area": "areas", "agency": "agencies", "jurisdiction": "jurisdictions", "post": "posts", "place": "places",
            "import": "imports", "overlay": "overlays", "device": "devices"}  # fmt: skip


def stolen(world: World, viewer: Viewer, kind: str, path: str) -> None:
    """Another's cursor stands on a row that this viewer may not see: what follows is the viewer's own all the same."""
    county = next(each for each in world.viewers if each.login == "county")
    cursor = world.get(county, path, limit=PAGE).json()["next"]
    rows = world.seen(county, kind)
    if cursor is None:
        return
    before = set(ids(rows[:PAGE]))
    places = {each.id: n for n, each in enumerate(sorted(world.all(kind), key=ORDER[kind]))}
    last = places[rows[PAGE - 1].id]
    found = [each[ID[kind]] for each in world.get(viewer, path, limit=200, after=cursor).json()["items"]]
    assert found == [each for each in ids(world.seen(viewer, kind)) if places[each] > last], (viewer.login, path)
    assert not before & set(found) or viewer.login == "county"


def within(path: str) -> Callable[[Fact], bool]:
    return lambda each: each.area[: len(path)] == path


def in_box(box: tuple[float, float, float, float]) -> Callable[[Fact], bool]:
    return lambda each: bool(shapely.box(*box).intersects(each.shape))


def says(name: str, value: Any) -> Callable[[Fact], bool]:
    return lambda each: bool(each.values[name] == value)


def anything(_: Fact) -> bool:
    return True
