"""B4's floor: `python -m bench.bare PORT`, one asyncpg query behind FastAPI, with no caller to know and no scope.

The page is the same: a hundred areas of a box as JSON that PostgreSQL builds. BARE_DATABASE_URL says where.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from fastapi import FastAPI, Response

STATEMENT = """
SELECT json_build_object('code', code, 'level', level, 'kind', kind, 'name', name, 'parent', parent_code, 'path', path,
    'boundary_version', boundary_version, 'lon', lon, 'lat', lat, 'area_m2', round(area_m2::numeric),
    'geometry', ST_AsGeoJSON(geom, 7)::json)::text AS body
FROM grid.areas WHERE boundary_version = 1 AND ST_Intersects(geom, ST_MakeEnvelope($1, $2, $3, $4, 4326))
ORDER BY path LIMIT $5
"""


@asynccontextmanager
async def pool(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=8, max_size=8) as app.state.pool:
        yield


app = FastAPI(lifespan=pool)


@app.get("/areas")
async def areas(bbox: str, limit: int = 100) -> Response:
    rows = await app.state.pool.fetch(STATEMENT, *map(float, bbox.split(",")), limit + 1)
    return Response(f'{{"items":[{",".join(row[0] for row in rows[:limit])}]}}', media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", loop="uvloop", http="httptools")
