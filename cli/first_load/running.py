"""Writing rows through the public API: some at a time, in waves, stopped at any moment without a half-written row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cli.first_load.kinds import Kind
from cli.first_load.known import Known
from cli.first_load.outcomes import CHANGED, CREATED, UNCHANGED, WOULD_CREATE, WOULD_PUT, Outcome, of_refusal
from cli.first_load.planning import Planned, waves
from cli.first_load.together import together
from cli.first_load.values import Refused
from simulator.client import Api, ApiRefused, Unreachable

POINTS_AT_ONCE = 10_000


class Interrupted(Exception):
    """The platform went away; what is written stays, and the same command goes on."""


class Run:
    """One file's writes; `outcomes` by line fills as answers come, whatever happens then."""

    def __init__(self, api: Api, kind: Kind, known: Known, columns: Mapping[str, str]) -> None:
        self.api, self.kind, self.known, self.columns = api, kind, known, columns
        self.outcomes: dict[int, Outcome] = {}

    async def write(self, planned: Sequence[Planned], progress: Callable[[int], None]) -> None:
        """Raises Interrupted when the platform does not answer any more."""
        self._note_refused(planned)
        for wave in waves(list(planned)):
            waiting = iter(wave)

            async def sender(waiting: Any = waiting) -> None:
                for each in waiting:
                    self.outcomes[each.line] = await self._put(each)
                    progress(len(self.outcomes))

            try:
                await together(sender)
            except (ApiRefused, TimeoutError, Unreachable) as error:
                raise Interrupted(str(error) or type(error).__name__) from None

    async def try_out(self, planned: Sequence[Planned]) -> None:
        """Without writing: what each row would do, as far as it can be known."""
        if self.kind.located:
            await self._judge_positions([each for each in planned if each.refused is None])
        self._note_refused(planned)
        for each in planned:
            if each.refused is None:
                outcome = WOULD_PUT if each.exists else WOULD_CREATE
                self.outcomes[each.line] = Outcome(each.line, each.key, outcome)

    def _note_refused(self, planned: Sequence[Planned]) -> None:
        for each in planned:
            if each.refused is not None:
                self.outcomes[each.line] = of_refusal(each, each.refused, self.columns)

    async def _put(self, each: Planned) -> Outcome:
        try:
            answer = await self.api.request("PUT", f"{self.kind.path}/{each.id}", json=each.body)
        except ApiRefused as refused:
            return self._refused(each, refused)
        version = answer.json()["version"]
        if not each.exists:
            outcome = CREATED
        else:
            outcome = UNCHANGED if version == self.known.rows[self.kind.entity][each.id]["version"] else CHANGED
        return Outcome(each.line, each.key, outcome)

    def _refused(self, each: Planned, refused: ApiRefused) -> Outcome:
        if refused.status == 401:
            raise  # not this row's fault
        problem = refused.problem if isinstance(refused.problem, dict) else {}
        code = str(problem.get("code", refused.status))
        reason = Refused(code, str(problem.get("field") or ""), str(problem.get("expected") or ""))
        return of_refusal(each, reason, self.columns, str(problem.get("title") or code))

    async def _judge_positions(self, planned: Sequence[Planned]) -> None:
        """Which rows lie in the county, asked in bulk; coordinate systems may differ from row to row."""
        for crs in sorted({each.body["crs"] for each in planned}):
            of_crs = [each for each in planned if each.body["crs"] == crs]
            for start in range(0, len(of_crs), POINTS_AT_ONCE):
                chunk = of_crs[start : start + POINTS_AT_ONCE]
                points = [[each.body["lon"], each.body["lat"]] for each in chunk]
                try:
                    answer = await self.api.request("POST", "/v1/areas/locate", json={"crs": crs, "points": points})
                except ApiRefused as refused:
                    problem = refused.problem if isinstance(refused.problem, dict) else {}
                    for each in chunk:
                        each.refused = Refused(str(problem.get("code", refused.status)), "lon", "lon, lat")
                    continue
                for each, line in zip(chunk, answer.text.splitlines(), strict=True):
                    if '"found":true' not in line:
                        each.refused = Refused("outside_county", "lon")
