"""Areas: the file goes up as it is, the worker's checks are followed, its findings printed; then it is published."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from cli.first_load.outcomes import REFUSED, Outcome
from simulator.client import Api, ApiRefused

PATIENCE_S = 1800.0
_TYPES = {
    ".geojson": "application/geo+json", ".json": "application/geo+json", ".zip": "application/zip",
    ".gpkg": "application/geopackage+sqlite3", ".csv": "text/csv",
}  # fmt: skip


async def bring(api: Api, file: pathlib.Path, crs: str, say: Callable[[str], None]) -> dict[str, Any]:
    """The import when its checks are over: `state`, `report`. Raises ApiRefused, TimeoutError."""
    content = await asyncio.to_thread(file.read_bytes)
    headers = {
        "Content-Type": _TYPES.get(file.suffix.lower(), "application/octet-stream"),
        "Idempotency-Key": str(uuid4()),  # an answer that was lost is asked for again, not the import made twice
    }
    answer = await api.request("POST", "/v1/areas/imports", params={"crs": crs}, content=content, headers=headers)
    path = f"/v1/areas/imports/{answer.json()['import_id']}"
    waited = 0.0
    while (job := (await api.request("GET", path)).json())["state"] in ("received", "validating"):
        say(f"{job['state']} {job['progress'] * 100:.0f} %")
        if waited > PATIENCE_S:
            raise TimeoutError(f"{path} is still {job['state']} after {PATIENCE_S:.0f} s")
        await asyncio.sleep(0.5)
        waited += 0.5
    return dict(job)


async def publish(api: Api, import_id: str) -> int | None:
    """The boundary version; None where the boundary in force equals the file. Raises ApiRefused."""
    try:
        answer = await api.request("POST", f"/v1/areas/imports/{import_id}/publish")
    except ApiRefused as refused:
        if isinstance(refused.problem, dict) and refused.problem.get("code") == "grid.import_unchanged":
            return None
        raise
    return int(answer.json()["boundary_version"])


def findings(job: dict[str, Any]) -> list[Outcome]:
    """The report's problems as rows: errors are refusals, warnings are not."""
    problems = ((job.get("report") or {}).get("problems") or {}).get("features") or []
    found = []
    for problem in (each["properties"] for each in problems):
        area = f"，{problem['area_m2']} m²" if problem.get("area_m2") is not None else ""
        found.append(
            Outcome(
                line=problem["feature"] if problem.get("feature") is not None else 0,
                key=" ".join(problem["areas"]),
                outcome=REFUSED if problem["severity"] == "error" else "warning",
                code=problem["code"],
                message=f"{problem['message']}{area}",
            )
        )
    return found
