"""What the holder of a follow code sees in a browser, and the form by which a place's code takes a report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from starlette.responses import Response

from gateway.emergencies import TEXT
from gateway.place_page import page


def grouped(code: str) -> str:
    """A code as people read it."""
    return "-".join(code[n : n + 4] for n in range(0, len(code), 4))


def followed_page(code: str, followed: dict[str, Any]) -> Response:
    """Stage, holder and times."""
    steps = "".join(
        f"<dt>{escape(each['name'])}</dt><dd>{escape(_minute(each['at']))}</dd>" for each in followed["steps"]
    )
    return page(
        f"上报进展：{followed['stage']['name']}",
        f"<dl><dt>查询码</dt><dd>{escape(grouped(code))}</dd>"
        f"<dt>承办单位</dt><dd>{escape(followed['holder'] or '待分派')}</dd>"
        f"<dt>当前环节已历时</dt><dd>{_lasting(followed['seconds_in_stage'])}</dd>{steps}</dl>"
        f"{_rating_form(code) if followed['rating_asked'] else ''}"
        f"{_appeal_form(code, followed['appeal_until']) if followed['appeal_until'] else ''}",
    )


def _rating_form(code: str) -> str:
    choices = "".join(
        f'<p><label><input type="radio" name="rating" value="{value}" required> {name}</label></p>'
        for value, name in ((5, "非常满意"), (4, "满意"), (3, "一般"), (2, "不满意"), (1, "非常不满意"))
    )
    return _form(code, "rating", "评价办理结果", f"{choices}{_text('note', '说明（可选）', '')}")


def _appeal_form(code: str, until: str) -> str:
    text = f"<p>您对办理结果不满意，可在 {escape(_minute(until))} 前申请重新办理。</p>"
    return _form(code, "appeal", "申请重新办理", text + _text("reason", "理由", ' required minlength="2"'))


def _form(code: str, what: str, title: str, inside: str) -> str:
    return (
        f'<h2>{title}</h2><form method="post" enctype="multipart/form-data" '
        f'action="/v1/public/follow/{escape(code)}/{what}">{inside}<p>请勿填写姓名、电话等个人信息。</p>'
        "<p><button>提交</button></p></form>"
    )


def _text(name: str, title: str, more: str) -> str:
    return f'<p><label>{title}<br><textarea name="{name}" maxlength="1000" rows="3"{more}></textarea></label></p>'


def reported_page(reported: dict[str, Any]) -> Response:
    """The code that was just given."""
    call = f'<p class="call">{escape(TEXT)}</p>' if reported["emergency"] else ""
    code = reported["follow_code"]
    return page(
        "已收到您的上报",
        f"{call}<p>请记下查询码，凭此码查看办理进展：</p><p><strong>{escape(grouped(code))}</strong></p>"
        f'<p><a href="{escape(reported["follow"])}">查看进展</a></p>',
        201,
    )


def report_form(categories: Sequence[dict[str, Any]], case_id: str, address: str) -> str:
    """The form on a place's card; `case_id` makes a second click the same report."""
    options = "".join(
        f'<option value="{escape(each["code"])}">{escape(each["name"])}'
        f"{'（紧急，请先拨打 110/119/120）' if each['emergency'] else ''}</option>"
        for each in categories
    )
    return (
        f'<h2>上报隐患</h2><p class="call">{escape(TEXT)}</p>'
        f'<form method="post" enctype="multipart/form-data" action="{escape(address)}">'
        f'<input type="hidden" name="case_id" value="{escape(case_id)}">'
        f'<p><label>类别<br><select name="category" required>{options}</select></label></p>'
        '<p><label>情况说明<br><textarea name="description" required maxlength="1000" rows="4"></textarea></label></p>'
        '<p><label>照片（可选）<br><input type="file" name="photo" accept="image/jpeg,image/png,image/webp" multiple>'
        "</label></p><p>请勿填写姓名、电话等个人信息。</p><p><button>提交</button></p></form>"
    )


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _lasting(seconds: int) -> str:
    days, rest = divmod(max(seconds, 0), 86_400)
    hours, rest = divmod(rest, 3600)
    return f"{days} 天 {hours} 小时" if days else f"{hours} 小时 {rest // 60} 分钟"
