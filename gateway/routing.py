"""What every route asks before it reads a body: who is calling, parameters it knows, a body in its own form.

The framework parses a body before it looks for the caller. Here the caller comes first, so that who has not
signed in learns nothing of what a route would have said, and costs nothing but the look at the token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from difflib import get_close_matches
from typing import Any

from fastapi import Request, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic.fields import FieldInfo
from starlette.responses import Response

from gateway.auth.signed_in import Bearer, caller
from gateway.problems import Problem
from gateway.writes import media_type_of

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_LONGEST_NAME = 60


class Route(APIRoute):
    """A route whose requests are judged in this order: caller, query's names, body's media type, the rest."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        tree = list(_tree(self.dependant))
        guarded = any(isinstance(each.call, Bearer) for each in tree)
        # name -> whether it may stand there several times
        known = {field.alias: _is_list(field.field_info) for each in tree for field in each.query_params}
        media_types = self._media_types()

        async def judged(request: Request) -> Response:
            if guarded:
                await caller(request)
            if request.scope["query_string"]:
                _check_names(request, known)
            if media_types:
                _check_media_type(request, media_types)
            return await handler(request)

        return judged

    def _media_types(self) -> tuple[str, ...]:
        """Those that the framework parses for this route; empty where there is no body, or the route reads it."""
        if self.body_field is None:
            return ()
        return _FORM_TYPES if isinstance(self.body_field.field_info, params.Form) else ("application/json",)


def _tree(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _tree(each)


def _is_list(info: FieldInfo) -> bool:
    return "list[" in str(info.annotation)


def _check_names(request: Request, known: dict[str, bool]) -> None:
    """A misspelt filter that is ignored shows wrong data: nothing unknown is let through, nothing twice."""
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in known:
            near = get_close_matches(name[:_LONGEST_NAME], known, n=1)
            raise Problem(
                "unknown_parameter",
                field=name[:_LONGEST_NAME],
                expected=" | ".join(near or sorted(known)) or "no parameters",
            )
        if times > 1 and not known[name]:
            raise Problem("invalid_request", field=name, expected="the parameter once")


def _check_media_type(request: Request, accepted: tuple[str, ...]) -> None:
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    if media_type_of(request) not in accepted:
        raise Problem("unsupported_media_type", field="Content-Type", expected=" | ".join(accepted))
