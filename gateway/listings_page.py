"""The public list of supervised hazards in a browser: a small page without a script, in Chinese."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from backbone.clock import COUNTY_TIME
from gateway.place_page import POLICY
from services.hazards import queries

_STYLE = (
    "body{font:16px/1.6 sans-serif;margin:0 auto;max-width:60em;padding:1em;color:#222}"
    "table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #ddd;padding:.5em;text-align:left}"
    ".late{color:#c62828;font-weight:bold}footer{color:#666;font-size:.85em;margin-top:2em}"
)
_LEVELS = {"county": "县级", "town": "镇级", "village": "村级"}
_HEADS = ("挂牌编号", "挂牌单位", "级别", "类别", "所在地", "整改期限", "进展")


def listings_page(items: list[dict[str, Any]], following: str | None) -> Response:
    """The list as a table; `following` is the cursor of the next page."""
    titles = queries.state_titles()
    nothing = f'<tr><td colspan="{len(_HEADS)}">目前没有挂牌隐患。</td></tr>'
    rows = "".join(_row(item, titles) for item in items) or nothing
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    more = f'<p><a href="?after={quote(following)}">下一页</a></p>' if following else ""
    return Response(
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>重大隐患挂牌督办公示</title><style>{_STYLE}</style><h1>重大隐患挂牌督办公示</h1>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}"
        "<footer>平安网格。紧急情况请拨打 110 / 119 / 120。</footer>",
        headers={"Content-Security-Policy": POLICY, "Vary": "Accept"},
        media_type="text/html",
    )


def _row(item: dict[str, Any], titles: dict[str, str]) -> str:
    days = item["days_left"]
    left = f'<span class="late">逾期 {-days} 天</span>' if days < 0 else f"剩余 {days} 天"
    cells = (
        escape(item["listing_no"]),
        escape(item["issuer"]["name"] or ""),
        _LEVELS[item["level"]],
        escape(item["category"]["name"]),
        escape(" ".join(each["name"] or "" for each in item["areas"][1:])),
        f"{datetime.fromisoformat(item['until']).astimezone(COUNTY_TIME).date()}<br>{left}",
        escape(titles[item["state"]]),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
