"""Refusals of `hazards`: noun phrases; the docstring is the message, the code never changes."""

from __future__ import annotations

from contracts.refusals import Refusal


class IllegalMove(Refusal):
    """This move is not legal from the case's state; `legal_moves` says which are."""

    code = "hazards.illegal_move"
    status = 409
    zh = "当前状态不允许该操作"


class NotYet(Refusal):
    """The platform does not know this move yet."""

    code = "hazards.not_yet"
    status = 501
    zh = "平台尚不支持该操作"


class SelfCheck(Refusal):
    """Who handled a case cannot check it."""

    code = "hazards.self_check"
    status = 403
    zh = "经办人不得核查本人办理的案件"


class UnknownCategory(Refusal):
    """No active category has this code."""

    code = "hazards.unknown_category"
    status = 422
    zh = "案件类别不存在或已停用"


class DuplicateExternalRef(Refusal):
    """This external reference already belongs to another case."""

    code = "hazards.duplicate_external_ref"
    status = 409
    zh = "外部编号已关联其他案件"


class MissingMoveField(Refusal):
    """The move needs a field that is absent."""

    code = "hazards.missing_move_field"
    status = 422
    zh = "该操作缺少必填字段"


class NoResponsibleAgency(Refusal):
    """No routing rule or jurisdiction names an agency for this category and area; name one in `agency_id`."""

    code = "hazards.no_responsible_agency"
    status = 422
    zh = "未找到责任单位，请在 agency_id 中指定"


class UnknownAgency(Refusal):
    """No active agency has this id."""

    code = "hazards.unknown_agency"
    status = 422
    zh = "单位不存在或已停用"


class CaseExists(Refusal):
    """Another report already uses this case id."""

    code = "hazards.case_exists"
    status = 409
    zh = "该案件编号已用于内容不同的上报"


class NoBoundary(Refusal):
    """No boundary version is in force yet, so that no place has an owner; publish one and send again."""

    code = "hazards.no_boundary"
    status = 409
    zh = "尚未发布网格边界，请发布后重试"


class FilterNameTaken(Refusal):
    """You have another filter of this name."""

    code = "hazards.filter_name_taken"
    status = 409
    zh = "已有同名的筛选条件"


class TooManyFilters(Refusal):
    """You have as many saved filters as one may have; remove one first."""

    code = "hazards.too_many_filters"
    status = 409
    zh = "保存的筛选条件已达上限，请先删除"


class TooManyExports(Refusal):
    """Your earlier exports are still being written; wait for one of them."""

    code = "hazards.too_many_exports"
    status = 409
    zh = "尚有导出任务未完成，请稍后再试"
