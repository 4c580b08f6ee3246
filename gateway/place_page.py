"""What a scanned code shows in a browser: the card as a small page without a script, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_COLOURS = {"red": "#c62828", "orange": "#e65100", "yellow": "#f9a825", "blue": "#1565c0"}
_STYLE = (
    "body{font:18px/1.6 sans-serif;margin:0 auto;max-width:32em;padding:1em;color:#222}"
    "h1{font-size:1.5em;margin:.2em 0}.risk{color:#fff;padding:.8em 1em;border-radius:.4em;font-size:1.2em}"
    ".call{color:#b71c1c}select,textarea{font:inherit;width:100%}button{font:inherit;padding:.4em 2em}"
    "dt{color:#666}dd{margin:0 0 .6em}footer{color:#666;font-size:.85em;margin-top:2em}"
)


def wants_page(request: Request) -> bool:
    """Whether a browser asks: it gets a page where everybody else gets JSON."""
    return "text/html" in request.headers.get("accept", "")


def card_page(card: dict[str, Any], form: str = "") -> Response:
    """The public card of a place, with the form of a report under it."""
    risk = card["risk"]
    phone = card["duty_phone"]
    rows = [
        ("类别", escape(card["category"]["name"] or "")),
        ("所在网格", escape(" · ".join(each["name"] for each in card["areas"]))),
        ("最近检查", escape(card["last_check"] or "暂无记录")),
        ("网格员值班电话", f'<a href="tel:{escape(phone)}">{escape(phone)}</a>' if phone else "暂无"),
    ]
    return page(
        card["name"],
        f'<p class="risk" style="background:{_COLOURS[risk["code"]]}">{escape(risk["grade"])}'
        f"<br><small>{escape(risk['meaning'])}</small></p>"
        f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in rows)}</dl>{form}",
    )


def refusal_page(title: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """What was refused, and whom to ask."""
    return page(title, "<p>如有疑问，请联系所在社区（村）网格员。</p>", status, headers)


def page(title: str, inside: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page of ours; `inside` is HTML whose texts are escaped."""
    return Response(
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{inside}"
        "<footer>平安网格。紧急情况请拨打 110 / 119 / 120。</footer>",
        status,
        headers={"Content-Security-Policy": POLICY, "Vary": "Accept, Accept-Language", **(headers or {})},
        media_type="text/html",
    )
