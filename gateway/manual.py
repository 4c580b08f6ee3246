"""/docs: the API's document as one page of plain HTML, made here; it loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from gateway.problems import KINDS

router = APIRouter(include_in_schema=False)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans SC",sans-serif;margin:0 auto;max-width:70rem;padding:1rem;color:#1c2b36}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #cdd7de}nav a{margin-right:1rem}
details{border:1px solid #dde5ea;border-radius:6px;margin:.4rem 0;padding:.3rem .8rem}
summary{cursor:pointer}summary code{font-weight:600}pre{background:#f3f6f8;padding:.6rem;overflow:auto}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #e4eaee;padding:.25rem .5rem;text-align:left}
.get{color:#0b6b3a}.post{color:#8a4b00}.put{color:#0a4f8f}
@media (prefers-color-scheme:dark){body{background:#11181d;color:#d7e1e8}pre{background:#1b252c}}
"""


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    page = "".join(_page(request.app.openapi()))
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY, "Cache-Control": "max-age=300"})


def _page(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation.get("tags", ["other"])[0], []).append((method, path, operation))
    yield "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    yield f"<title>{escape(info['title'])}</title><style>{STYLE}</style><h1>{escape(info['title'])}</h1>"
    yield f"<pre>{escape(info['description'].strip())}</pre><p><a href=/openapi.json>openapi.json</a></p><nav>"
    yield from (f"<a href='#{tag}'>{tag}</a>" for tag in (*by_tag, "problems"))
    yield "</nav>"
    for tag, operations in by_tag.items():
        yield f"<h2 id={tag}>{tag}</h2>"
        for method, path, operation in operations:
            yield from _operation(method, path, operation)
    yield "<h2 id=problems>problems</h2><table><tr><th>status<th>code<th>English<th>中文"
    for code, kind in sorted(KINDS.items(), key=lambda item: (item[1].status, item[0])):
        yield f"<tr><td>{kind.status}<td><code>{code}</code><td>{escape(kind.en)}<td>{kind.zh}"
    yield "</table></html>"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    title = f"<b class={method}>{method.upper()}</b> <code>{escape(path)}</code> — {escape(operation['summary'])}"
    yield f"<details><summary>{title}</summary><p>{escape(operation.get('description', ''))}</p>"
    if operation.get("parameters"):
        yield "<table><tr><th>parameter<th>in<th>type<th>"
        for parameter in operation["parameters"]:
            name = escape(parameter["name"]) + (" *" if parameter.get("required") else "")
            schema = parameter.get("schema", {})
            yield f"<tr><td><code>{name}</code><td>{parameter['in']}<td>{escape(_type(schema))}"
            yield f"<td>{escape(parameter.get('description', ''))}"
        yield "</table>"
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        example = content.get("example")
        yield f"<p>body <code>{media_type}</code></p>" + (_json(example) if example is not None else "")
    for status, answer in operation["responses"].items():
        yield f"<p><b>{status}</b> {escape(answer['description'])}</p>"
        for content in answer.get("content", {}).values():
            if "example" in content:
                yield _json(content["example"])
            elif "examples" in content:
                yield " ".join(f"<code>{escape(code)}</code>" for code in content["examples"])
    yield "</details>"


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"{_type(schema.get('items', {}))}[]"
    return str(schema.get("format") or schema.get("type") or schema.get("$ref", "").rpartition("/")[2])


def _json(example: Any) -> str:
    if isinstance(example, str):
        return f"<pre>{escape(example)}</pre>"
    return f"<pre>{escape(orjson.dumps(example, option=orjson.OPT_INDENT_2).decode())}</pre>"
