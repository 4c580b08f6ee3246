"""The console: files that Vite built, served from memory. Without them, a page that says how to build them."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import pathlib
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from gateway.problems import Problem

BUILT = pathlib.Path(__file__).parent / "console" / "dist"
router = APIRouter(include_in_schema=False)
# Everything comes from here; the map draws in workers made of blobs and reads its own images from memory.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; child-src blob:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
FOREVER = "public, max-age=31536000, immutable"
NOT_BUILT = (
    "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>平安网格</title>"
    "<p>页面尚未构建：<code>make run</code> 会构建它。接口照常可用，见 <a href=/docs>/docs</a>。"
    "<p>The page is not built: <code>make run</code> builds it. The API answers all the same: <a href=/docs>/docs</a>."
)


@dataclass(frozen=True, slots=True)
class File:
    """One built file, ready to send."""

    body: bytes
    packed: bytes
    media_type: str
    etag: str


def built_files(directory: pathlib.Path = BUILT) -> dict[str, File]:
    """Address -> file of everything Vite wrote; empty where nothing was built."""
    found = {}
    for path in sorted(directory.rglob("*")) if directory.is_dir() else ():
        if path.is_file() and not path.name.startswith("."):
            body = path.read_bytes()
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            digest = hashlib.sha256(body).hexdigest()[:16]
            found["/" + str(path.relative_to(directory))] = File(body, gzip.compress(body, 6), media_type, digest)
    return found


_files = built_files()


@router.get("/")
async def page(request: Request) -> Response:
    if "/index.html" not in _files:
        return HTMLResponse(NOT_BUILT, headers={"Content-Security-Policy": POLICY})
    return _sent(request, _files["/index.html"], "no-cache")


@router.get("/icon.svg")
async def icon(request: Request) -> Response:
    return _sent(request, _found("/icon.svg"), "public, max-age=86400")


@router.get("/assets/{name}")
async def asset(name: str, request: Request) -> Response:
    return _sent(request, _found(f"/assets/{name}"), FOREVER)  # a built name holds the content's hash


def _found(address: str) -> File:
    try:
        return _files[address]
    except KeyError:
        raise Problem("not_found") from None


def _sent(request: Request, file: File, kept: str) -> Response:
    headers = {
        "ETag": f'"{file.etag}"',
        "Cache-Control": kept,
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Encoding",
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)
