"""Every refusal is a problem document with a stable code, in the reader's language, without our insides."""

import importlib
import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from contracts.hazards.errors import IllegalMove
from contracts.refusals import NotVisible, Refusal
from gateway.problems import KINDS, Problem, language_of, refused, unavailable
from gateway.routes.cases import CaseReport


def document(problem: Problem, language: str = "en") -> dict[str, Any]:
    response = problem.to_response(language=language, instance="/v1/cases", trace_id="4bf92f35")
    assert response.media_type == "application/problem+json"
    assert response.status_code == problem.status
    body: dict[str, Any] = json.loads(bytes(response.body))
    return body


@pytest.mark.parametrize("code", KINDS)
def test_each_code_has_a_document_in_both_languages(code: str) -> None:
    english, chinese = document(Problem(code)), document(Problem(code), "zh")
    for body in (english, chinese):
        assert {"type", "title", "status", "code", "detail", "instance", "trace_id"} <= set(body)
        assert body["type"] == f"urn:pingan:problem:{code}"
    assert english["title"] != chinese["title"]
    assert any("\u4e00" <= char <= "\u9fff" for char in chinese["title"])


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.1, zh-Hans;q=0.2", "zh"),
        ("fr", "en"),
        ("*", "en"),
        ("zh;q=x", "en"),
        ("zh;q=0", "en"),
        (",;,;=" * 500, "en"),
    ],
)
def test_the_readers_language_is_found(header: str, language: str) -> None:
    assert language_of(header) == language


def test_a_services_refusal_keeps_its_code_field_and_extras() -> None:
    body = document(refused(IllegalMove("'close' is not legal.", field="move", legal_moves=["verify"])))
    assert (body["status"], body["code"], body["field"]) == (409, "hazards.illegal_move", "move")
    assert body["legal_moves"] == ["verify"]
    assert body["detail"] == "'close' is not legal."


def test_a_refusal_without_words_of_its_own_speaks_chinese() -> None:
    assert document(refused(NotVisible()), "zh")["detail"] == "不存在或无权查看"


def every_refusal() -> list[type[Refusal]]:
    for service in ("grid", "hazards", "notify", "patrol"):
        importlib.import_module(f"contracts.{service}.errors")
    found, todo = [], [Refusal]
    while todo:
        for each in todo.pop().__subclasses__():
            if each.__module__.startswith("contracts."):
                found.append(each)
                todo.append(each)
    return found


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda each: each.code)
@pytest.mark.parametrize("detail", [None, "Words of its own."])
def test_every_refusal_speaks_the_readers_language(refusal: type[Refusal], detail: str | None) -> None:
    problem = refused(refusal(detail))
    chinese, english = document(problem, "zh"), document(problem)
    assert is_chinese(chinese["title"])
    assert is_chinese(chinese["detail"])
    assert not is_chinese(english["title"] + english["detail"])
    assert english["detail"] == (detail or english["title"])


def test_refusals_have_codes_of_their_own() -> None:
    codes = [each.code for each in every_refusal()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("problem", [Problem("not_found", "Words."), unavailable("broker"), Problem.of_status(405)])
def test_a_problem_with_words_of_its_own_stays_chinese_in_chinese(problem: Problem) -> None:
    assert is_chinese(document(problem, "zh")["detail"])


def test_extras_cannot_overwrite_what_a_problem_is() -> None:
    assert document(Problem("not_found", status=200, note="x"))["status"] == 404


def test_an_outage_says_when_to_come_back() -> None:
    response = unavailable("database grid", 0.2).to_response(language="en", instance="/", trace_id="t")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"


def report(**changes: Any) -> Problem:
    good = {"category": "fire", "source": "visit", "description": "x", "lon": 120.1, "lat": 30.1, "crs": "wgs84"}
    fields = {name: value for name, value in (good | changes).items() if value is not ...}
    with pytest.raises(ValidationError) as caught:
        CaseReport.model_validate(fields)
    return Problem.of_validation(caught.value.errors())


def test_a_missing_crs_has_a_code_of_its_own() -> None:
    problem = report(crs=...)
    assert (problem.code, problem.field) == ("crs_required", "crs")
    assert "gcj02" in (problem.expected or "")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lon": float("nan")}, "lon"),
        ({"lat": float("inf")}, "lat"),
        ({"lon": "east"}, "lon"),
        ({"crs": "epsg:3857"}, "crs"),
        ({"description": ""}, "description"),
        ({"category": "Fire!"}, "category"),
        ({"occurred_at": "2026-01-31T08:00:00"}, "occurred_at"),
        ({"surprise": 1}, "surprise"),
        ({"external_refs": [{"system": "x y", "id": "1"}]}, "external_refs.0.system"),
    ],
)
def test_a_wrong_value_names_its_field_and_what_would_be_right(changes: dict[str, Any], field: str) -> None:
    problem = report(**changes)
    body = document(problem)
    assert (body["status"], body["code"], body["field"]) == (422, "invalid_request", field)
    assert body["expected"]
    assert is_chinese(document(problem, "zh")["detail"])


def test_what_was_sent_is_not_sent_back() -> None:
    class Login(BaseModel):
        password: int

    with pytest.raises(ValidationError) as caught:
        Login.model_validate({"password": "hunter2-hunter2"})
    assert "hunter2" not in json.dumps(document(Problem.of_validation(caught.value.errors())))
