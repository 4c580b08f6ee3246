"""Examples of areas, imports, changes and zones."""

from __future__ import annotations

from typing import Any

from gateway.examples.ids import GRID

AREA: dict[str, Any] = {
    "code": "330499101201003",
    "name": "第三网格",
    "level": "grid",
    "kind": "ordinary",
    "parent": "330499101201",
    "path": GRID,
    "areas": [{"code": "330499", "level": "county", "path": "330499/"}],
    "lon": 120.6966,
    "lat": 30.7711,
    "boundary_version": 1,
}
LOCATED: dict[str, Any] = {
    "found": True,
    "unassigned": False,
    "code": "330499101201003",
    "path": GRID,
    "lon": 120.6966,
    "lat": 30.7711,
    "boundary_version": 1,
}
LOCATED_LINE: dict[str, Any] = {"n": 0, "id": "a-17", "found": True, "code": "330499101201003", "path": GRID}
POINTS: dict[str, Any] = {
    "crs": "gcj02",
    "points": [[120.7012, 30.7689], {"id": "a-17", "lon": 120.6966, "lat": 30.7711}],
}
IMPORT: dict[str, Any] = {
    "import_id": "0192f0c5-7b8c-7d9e-8f0a-1b2c3d4e5f60",
    "state": "valid",
    "progress": 1.0,
    "crs": "gcj02",
    "errors": 0,
    "warnings": 2,
    "report": {"counts": {"county": 1, "town": 9, "village": 170, "grid": 1360}, "problems": None, "truncated": False},
    "boundary_version": None,
    "created_at": "2026-01-31T08:00:00Z",
    "version": 3,
}
CHANGE: dict[str, Any] = {
    "crs": "wgs84",
    "operations": [
        {
            "operation": "split",
            "code": "330499101201003",
            "line": [[120.6966, 30.75], [120.6966, 30.79]],
            "into": [{"name": "青枫社区第3网格"}, {"name": "青枫社区第9网格"}],
        }
    ],
}
PLAN: dict[str, Any] = {
    "voided": ["330499101201003"],
    "made": [
        {"code": "330499101201008", "name": "青枫社区第3网格", "geometry": {"type": "Polygon", "coordinates": []}}
    ],
    "became": {"330499101201003": ["330499101201008", "330499101201009"]},
    "paths": {"330499101201003": GRID},
    "posts": [],
    "places": [],
    "devices": [],
}
OVERLAY_BODY: dict[str, Any] = {
    "name": "青枫小学护校区",
    "kind": "school_zone",
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[120.696, 30.77], [120.698, 30.77], [120.698, 30.772], [120.696, 30.772], [120.696, 30.77]]],
    },
    "crs": "wgs84",
}
OVERLAY: dict[str, Any] = {
    "overlay_id": "5a4b3c2d-1e0f-5a9b-8c7d-6e5f4a3b2c1d",
    "name": "青枫小学护校区",
    "kind": "school_zone",
    "area_path": GRID,
    "area_m2": 42437.2,
    "active": True,
    "version": 1,
}
BOUNDARY: dict[str, Any] = {
    "version": 4,
    "county_code": "330499",
    "areas": 2410,
    "import_id": None,
    "restored": 2,
    "valid_from": "2026-01-31T08:00:00.000000Z",
}
RESTORED: dict[str, Any] = {"boundary_version": 5, "restored": 3, "areas": 2411, "posts": 1}
ALIASES: dict[str, Any] = {"aliases": [{"system": "police-community", "alias": "33049910100012"}]}
HISTORY_OF_AREA: dict[str, Any] = {
    "items": [
        {
            "name": "青枫社区第3网格",
            "level": "grid",
            "kind": "ordinary",
            "parent": "330499101201",
            "path": GRID,
            "from_version": 1,
            "until_version": 3,
            "valid_from": "2026-01-05T01:00:00.000000Z",
            "valid_until": "2026-01-31T08:00:00.000000Z",
        }
    ],
    "successors": [
        {
            "boundary_version": 4,
            "code": "330499101201003",
            "path": GRID,
            "into_path": "330499/330499101/330499101201/330499101201008/",
            "share": 1.0,
        }
    ],
}
POST_CHOICES: dict[str, Any] = {"posts": {"7f6e5d4c-3b2a-5c1d-9e0f-1a2b3c4d5e6f": "330499101201009"}}
UNDONE: dict[str, Any] = {
    "import_id": "0192f0c5-7b8c-7d9e-8f0a-1b2c3d4e5f60",
    "boundary_version": 4,
    "restored": 2,
    "areas": 2410,
    "posts": 3,
}
