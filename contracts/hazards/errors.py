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


class NoExtensionLeft(Refusal):
    """The case has had as many extensions as its category allows."""

    code = "hazards.no_extension_left"
    status = 409
    zh = "延期次数已达上限"


class ExtensionOver(Refusal):
    """The time that was asked for has passed already; refuse the request, and let it be asked for anew."""

    code = "hazards.extension_over"
    status = 409
    zh = "申请的延期时间已过，请驳回后重新申请"


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


class InvalidAnswers(Refusal):
    """An answer does not fit its question of the category; `field` names it, `expected` says what would."""

    code = "hazards.invalid_answers"
    status = 422
    zh = "对类别问题的回答不符合要求"


class CategoryInUse(Refusal):
    """Active categories stand below this one, or active routing rules name it; `children` and `rules` say which."""

    code = "hazards.category_in_use"
    status = 409
    zh = "该类别仍有下级类别或分派规则在使用，不能停用"


class RunIdReused(Refusal):
    """This run id was used for another run."""

    code = "hazards.run_id_reused"
    status = 409
    zh = "该运行编号已用于其他运行"
