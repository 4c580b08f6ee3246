"""Every "no" the API gives: RFC 9457 problem details with a stable code, in Chinese or English.

One table holds the gateway's own codes; a service's Refusal arrives with its own. `type` is
`urn:pingan:problem:<code>`; a code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic_core import ErrorDetails
from starlette.responses import Response

from contracts.refusals import Refusal

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A code's status and titles."""

    status: int
    en: str
    zh: str


KINDS: dict[str, Kind] = {
    "bad_request": Kind(400, "The request cannot be understood.", "请求无法识别"),
    "malformed_json": Kind(400, "The body is not valid JSON.", "请求体不是有效的 JSON"),
    "malformed_if_match": Kind(
        400, 'If-Match must be one version in quotes, as in "3".', "If-Match 须为带引号的版本号"
    ),
    "malformed_idempotency_key": Kind(
        400, "Idempotency-Key must be 1 to 255 visible ASCII characters.", "幂等键格式不正确"
    ),
    "invalid_grant_request": Kind(400, "The token request is not complete.", "令牌请求不完整"),
    "unsupported_grant_type": Kind(400, "This grant type is not offered.", "不支持的授权类型"),
    "unauthenticated": Kind(401, "A valid access token is needed.", "需要有效的访问令牌"),
    "invalid_credentials": Kind(401, "These credentials are not right.", "用户名或密码不正确"),
    "forbidden": Kind(403, "Your role does not allow this.", "当前角色无权执行此操作"),
    "purpose_not_allowed": Kind(403, "This purpose is not one of yours.", "无权以该目的查阅"),
    "not_found": Kind(404, "No such thing, or not visible to you.", "不存在或无权查看"),
    "no_copy": Kind(404, "No copy of this file could be made for readers.", "该文件无法生成可查看的副本"),
    "unknown_follow_code": Kind(404, "No report has this code.", "没有使用该查询码的上报"),
    "invalid_qr_token": Kind(404, "This code is none of this platform's.", "二维码无效，不是本平台签发"),
    "method_not_allowed": Kind(405, "This method is not offered here.", "不支持该请求方法"),
    "not_acceptable": Kind(406, "None of the accepted media types is offered.", "无法提供所要求的媒体类型"),
    "conflict": Kind(409, "This conflicts with what exists.", "与现有数据冲突"),
    "login_taken": Kind(409, "This login is taken.", "该登录名已被使用"),
    "public_url_missing": Kind(
        409,
        "The platform does not know the address that printed codes shall open.",
        "平台未配置对外访问地址，不能打印二维码",
    ),
    "public_reports_closed": Kind(
        409, "The county has no centre yet that takes reports from the public.", "本县尚未开通公众上报"
    ),
    "qr_revoked": Kind(410, "This code is no longer valid; the place has a new one, or is closed.", "二维码已作废"),
    "stale_version": Kind(
        412, "The entity has changed since you read it; `current` is its new state.", "数据已被更新，请以最新版本重试"
    ),
    "body_too_large": Kind(413, "The body is larger than allowed here.", "请求体超过允许的大小"),
    "uri_too_long": Kind(414, "The address is longer than 16 KiB.", "请求地址超过 16 KiB"),
    "unsupported_media_type": Kind(415, "This media type is not accepted here.", "不支持该媒体类型"),
    "unsupported_photo": Kind(415, "The photo must be a JPEG, PNG or WebP picture.", "照片须为 JPEG、PNG 或 WebP 图片"),
    "heic_photo": Kind(
        415,
        "HEIC pictures are not taken; send JPEG.",
        "不支持 HEIC 照片，请转为 JPEG（iPhone 相机格式选“兼容性最佳”）",
    ),
    "unsupported_file": Kind(415, "Files of this kind are not taken.", "不支持该类文件"),
    "file_type_mismatch": Kind(415, "The file is not of the kind that it is said to be.", "文件内容与所声明的类型不符"),
    "file_too_large": Kind(413, "The file is larger than one of its kind may be.", "文件超过该类文件的大小上限"),
    "too_many_files": Kind(422, "More files than one report or move takes.", "一次提交的文件过多"),
    "too_many_pixels": Kind(422, "The picture has more pixels than any camera's.", "图片像素过大"),
    "broken_file": Kind(422, "The file is damaged, or not made as its kind is.", "文件已损坏或格式不规范"),
    "recording_too_long": Kind(422, "The recording is too long.", "录音时间过长"),
    "encrypted_pdf": Kind(422, "The document needs a password.", "文档已加密，请去除密码后上传"),
    "active_pdf": Kind(
        422, "The document holds scripts, programs or other files.", "文档含有脚本、程序或内嵌文件，请另存后上传"
    ),
    "polyglot_file": Kind(422, "The file is of two kinds at once.", "文件同时是两种格式，不予接收"),
    "invalid_request": Kind(422, "A value in the request cannot be accepted.", "请求中有不可接受的值"),
    "unknown_parameter": Kind(422, "There is no such parameter here.", "不存在该查询参数"),
    "invalid_geometry": Kind(422, "This is not a polygon that can be used.", "不是可用的多边形"),
    "coordinates_swapped": Kind(422, "Longitude and latitude seem to be swapped.", "经度与纬度似乎颠倒"),
    "crs_required": Kind(422, "Coordinates need their reference system: `crs`.", "坐标必须注明坐标系 crs"),
    "invalid_cursor": Kind(422, "This cursor is not one of ours.", "游标无效"),
    "invalid_follow_code": Kind(
        422, "This is no follow code: a character is wrong or missing.", "查询码有误，请核对每一位字符"
    ),
    "purpose_required": Kind(422, "Reading personal data needs a purpose.", "查阅个人信息须注明目的"),
    "idempotency_key_reused": Kind(
        422, "This idempotency key was used with another request.", "该幂等键已用于内容不同的请求"
    ),
    "precondition_required": Kind(428, 'A change needs If-Match: "<version>".', "修改须带 If-Match 版本号"),
    "too_many_requests": Kind(429, "Too many requests; wait as Retry-After says.", "请求过于频繁，请稍后再试"),
    "login_locked": Kind(
        429, "Too many failed attempts for this name; wait as Retry-After says.", "该登录名失败次数过多，请稍后再试"
    ),
    "internal_error": Kind(
        500,
        "Something broke on our side; the trace id finds it in the logs.",
        "服务器内部错误，请凭 trace_id 联系管理员",
    ),
    "service_unavailable": Kind(
        503,
        "A part of the platform cannot answer now; the same request may be sent again.",
        "服务暂不可用，请稍后重试同一请求",
    ),
}

_BY_STATUS = {400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
              406: "not_acceptable", 409: "conflict", 413: "body_too_large", 415: "unsupported_media_type",
              429: "too_many_requests", 503: "service_unavailable"}  # fmt: skip

# pydantic error type -> (what is asked for in English, in Chinese); others keep pydantic's own message.
_ASKED = {
    "missing": ("a value is required", "缺少必填项"),
    "extra_forbidden": ("no such field", "不存在的字段"),
    "finite_number": ("a finite number", "须为有限数值"),
    "float_parsing": ("a number", "须为数值"),
    "int_parsing": ("a whole number", "须为整数"),
    "uuid_parsing": ("a UUID", "须为 UUID"),
    "enum": ("one of the listed values", "须为所列取值之一"),
    "string_pattern_mismatch": ("another form", "格式不正确"),
    "datetime_from_date_parsing": ("a time as in 2026-01-31T08:00:00Z", "须为 RFC 3339 时间"),
    "timezone_aware": ("a time with its UTC offset", "时间须带时区"),
    "json_invalid": ("valid JSON", "须为有效的 JSON"),
}


class Problem(Exception):
    """A refusal by the gateway itself; `code` is one of KINDS."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        zh: str | None = None,
        field: str | None = None,
        expected: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        kind = KINDS[code]
        self.code, self.status = code, kind.status
        self.titles = (kind.en, kind.zh)
        # A detail without its Chinese is for English readers alone; `field` and `expected` say the same to all.
        self.details = (detail or kind.en, zh or kind.zh)
        self.field, self.expected = field, expected
        self.headers = dict(headers or {})
        self.extra = extra
        super().__init__(self.details[0])

    @classmethod
    def of_refusal(cls, refusal: Mapping[str, Any]) -> Problem:
        """A service's refusal in wire form (`contracts.refusals.Refusal.to_json`)."""
        problem = cls.__new__(cls)
        Exception.__init__(problem, refusal["detail"])
        problem.code, problem.status = refusal["code"], int(refusal["status"])
        problem.titles = (refusal["title"], refusal["zh"])
        problem.details = (refusal["detail"], refusal["zh"])
        problem.field, problem.expected = refusal.get("field"), refusal.get("expected")
        problem.headers, problem.extra = {}, dict(refusal.get("extra") or {})
        return problem

    @classmethod
    def of_status(cls, status: int, headers: Mapping[str, str] | None = None) -> Problem:
        """A framework's bare status, such as 404 for a path nobody serves."""
        fallback = "internal_error" if status >= 500 else "bad_request"
        return cls(_BY_STATUS.get(status, fallback), headers=headers)

    @classmethod
    def of_validation(cls, errors: Sequence[Mapping[str, Any] | ErrorDetails]) -> Problem:
        """pydantic's findings: the first one as `field` and `expected`, all of them in `errors`."""
        found = [_finding(error) for error in errors[:50]]
        if any(error["type"] == "json_invalid" for error in errors):
            return cls("malformed_json", field=found[0]["field"] or None)
        first = found[0]
        crs_missing = first["field"].rpartition(".")[2] == "crs" and errors[0]["type"] == "missing"
        return cls(
            "crs_required" if crs_missing else "invalid_request",
            f"{first['field']}: {first['expected']}" if not crs_missing else None,
            zh=f"{first['field']}：{first['zh']}" if not crs_missing else None,
            field=first["field"],
            expected="wgs84 | cgcs2000 | gcj02 | bd09" if crs_missing else first["expected"],
            errors=[{key: finding[key] for key in ("field", "expected")} for finding in found],
        )

    def to_response(self, *, language: str, instance: str, trace_id: str) -> Response:
        """The answer, in `zh` or `en`."""
        n = 1 if language == "zh" else 0
        body: dict[str, Any] = {
            "type": f"urn:pingan:problem:{self.code}",
            "title": self.titles[n],
            "status": self.status,
            "code": self.code,
            "detail": self.details[n],
            "instance": instance,
            "trace_id": trace_id,
        }
        if self.field is not None:
            body["field"] = self.field
        if self.expected is not None:
            body["expected"] = self.expected
        body |= {key: value for key, value in self.extra.items() if key not in body}
        headers = {"Content-Language": "zh-CN" if n else "en", "Vary": "Accept-Language", **self.headers}
        return Response(orjson.dumps(body, default=str), self.status, media_type=MEDIA_TYPE, headers=headers)


def unavailable(what: str, retry_after_s: float = 1) -> Problem:
    """503 with Retry-After; `what` names the part that is missing."""
    return Problem("service_unavailable", headers={"Retry-After": str(max(1, round(retry_after_s)))}, missing=what)


def refused(refusal: Refusal) -> Problem:
    return Problem.of_refusal(refusal.to_json())


def language_of(accept_language: str) -> str:
    """`zh` or `en` by the header's weights; English when neither is named."""
    best, chosen = 0.0, "en"
    for part in accept_language.split(",")[:20]:
        tag, _, parameters = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if name in ("zh", "en") and weight > best:
            best, chosen = weight, name
    return chosen


def _finding(error: Mapping[str, Any] | ErrorDetails) -> dict[str, str]:
    location = [str(step) for step in error["loc"]]
    if location and location[0] in ("body", "query", "path", "header", "cookie"):
        location = location[1:]
    kind, context = error["type"], error.get("ctx") or {}
    english, chinese = _ASKED.get(kind, (str(error["msg"]).removeprefix("Value error, ")[:200], "取值不合法"))
    for word in ("expected", "pattern"):
        if word in context:
            english = f"{context[word]}" if word == "expected" else f"form {context[word]}"
    return {"field": ".".join(location), "expected": english, "zh": chinese}
