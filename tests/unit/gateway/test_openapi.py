"""The API's document is complete: every operation says what it is, shows examples and lists its problems."""

import pathlib
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from backbone.settings import SCHEMAS, PlatformSettings
from gateway.app import create_app
from gateway.manual import _page

OPEN = {
    *("/v1/auth/token", "/v1/health/live", "/v1/health/ready", "/v1/public/listings"),
    *("/v1/public/places/{token}", "/v1/public/places/{token}/reports", "/v1/public/follow/{code}"),
    *("/v1/public/follow/{code}/rating", "/v1/public/follow/{code}/appeal"),
}
PROMISED = frozenset(
    """
/v1/areas /v1/areas/{code} /v1/areas/locate /v1/areas/imports /v1/areas/imports/{import_id}
/v1/areas/imports/{import_id}/publish /v1/cases /v1/cases/{case_id} /v1/cases/{case_id}/history
/v1/cases/{case_id}/moves /v1/cases/{case_id}/external-refs /v1/cases/{case_id}/photos/{photo_id} /v1/states
/v1/categories /v1/routing-rules /v1/patrol/units /v1/patrol/shifts /v1/patrol/shifts/{shift_id}
/v1/patrol/shifts/{shift_id}/moves /v1/patrol/shifts/{shift_id}/track /v1/patrol/positions
/v1/patrol/positions/batches/{batch_id} /v1/patrol/live /v1/subscriptions /v1/subscriptions/{subscription_id}
/v1/subscriptions/{subscription_id}/moves /v1/subscriptions/{subscription_id}/deliveries /v1/events
/v1/events/stream /v1/agencies /v1/jurisdictions /v1/posts /v1/places /v1/accounts /v1/auth/token /v1/auth/me
/v1/auth/logout /v1/quarantine /v1/quarantine/{service}/{entry_id} /v1/quarantine/{service}/{entry_id}/retry
/v1/quarantine/{service}/{entry_id}/drop /v1/health/live /v1/health/ready
""".split()  # noqa: SIM905 - read as lines
)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        for schema in SCHEMAS:
            for kind in ("", "READ_"):
                patch.setenv(f"PINGAN_{schema.upper()}_{kind}DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        patch.setenv("PINGAN_BROKER_URL", "amqp://127.0.0.1:1/")
        patch.setenv("PINGAN_BROKER_MANAGEMENT_URL", "http://127.0.0.1:1")
        settings = PlatformSettings(
            county_code="330499", secret_key="s" * 40, files_directory=pathlib.Path(tmp_path_factory.mktemp("files"))
        )
        made: dict[str, Any] = create_app(settings).openapi()
        return made


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_promised_route_is_there(document: dict[str, Any]) -> None:
    assert set(document["paths"]) >= PROMISED


def test_every_operation_has_words_and_an_example_of_its_answer(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation.get("description"), name
        good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert good, name
        for answer in good:
            for media_type, content in answer.get("content", {}).items():
                assert "example" in content or media_type.startswith(("image/", "application/vnd.mapbox")), name


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, operation in operations(document):
        contents = operation.get("requestBody", {}).get("content", {})
        shown = any(
            "example" in content or "examples" in content or _has_example(content.get("schema", {}), schemas)
            for content in contents.values()
        )
        assert shown or not contents, name


def _has_example(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    if "$ref" in schema:
        return _has_example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return any(_has_example(each, schemas) for each in schema["anyOf"])
    return "example" in schema or any("examples" in each for each in schema.get("properties", {}).values())


def test_every_guarded_operation_names_its_scheme_and_its_401(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if name.partition(" ")[2] in OPEN:
            assert "security" not in operation, name
            continue
        assert operation["security"] == [{"oauth2": []}], name
        assert "application/problem+json" in operation["responses"]["401"]["content"], name


def test_no_answer_has_the_frameworks_own_form_of_error(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_writes_name_the_idempotency_header_and_changes_the_precondition(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        headers = {each["name"] for each in operation.get("parameters", []) if each["in"] == "header"}
        if name.startswith(("post", "put")) and "/auth/" not in name:
            assert "Idempotency-Key" in headers, name
        if name.endswith("/moves") and name.startswith("post"):
            assert "If-Match" in headers, name


def test_there_is_no_list_or_search_of_persons(document: dict[str, Any]) -> None:
    assert "get" not in document["paths"].get("/v1/persons", {})
    assert not [path for path in document["paths"] if "resident" in path or "face" in path.replace("/facets", "")]


def test_the_manual_shows_every_operation_and_loads_nothing_from_elsewhere(document: dict[str, Any]) -> None:
    page = "".join(_page(document))
    for path in document["paths"]:
        assert path in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page
    assert "src=" not in page


def _validator(schema: dict[str, Any], document: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]}, format_checker=FormatChecker())


def _examples(content: dict[str, Any], document: dict[str, Any]) -> list[Any]:
    """Every example of a request body: beside its schema, or inside it."""
    if "example" in content:
        return [content["example"]]
    if "examples" in content:
        return [each["value"] for each in content["examples"].values()]
    found, todo = [], [content["schema"]]
    while todo:
        schema = todo.pop()
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        found += [schema["example"]] if "example" in schema else []
        todo += schema.get("anyOf", [])
    return found


def test_every_example_of_a_request_is_one(document: dict[str, Any]) -> None:
    judged = 0
    for name, operation in operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if media_type.endswith("json"):
                for example in _examples(content, document):
                    errors = list(_validator(content["schema"], document).iter_errors(example))
                    assert not errors, (name, media_type, errors[0].message, list(errors[0].path))
                    judged += 1
        for parameter in operation.get("parameters", []):
            shown = [parameter[key] for key in ("example",) if key in parameter] + parameter["schema"].get(
                "examples", []
            )
            for example in shown:
                assert not list(_validator(parameter["schema"], document).iter_errors(example)), (
                    name,
                    parameter["name"],
                )
    assert judged >= 15


def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description") or schema.get("title"), name


def test_every_schema_that_an_example_leaves_is_refused(document: dict[str, Any]) -> None:
    """The schemas say something: an unknown field does not pass them."""
    for name, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or "positions" in name or "imports" in name:
            continue
        for example in _examples(content, document):
            unknown = {"no such field": 1}
            spoilt = [each | unknown for each in example] if isinstance(example, list) else example | unknown
            assert list(_validator(content["schema"], document).iter_errors(spoilt)), name
