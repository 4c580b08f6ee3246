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


class SelfReview(Refusal):
    """Who checked a rectification cannot review it."""

    code = "hazards.self_review"
    status = 403
    zh = "核查人不得复核本人核查的案件"


class CheckNotOnSite(Refusal):
    """The check was not made at the place: distance and accuracy together reach beyond the radius."""

    code = "hazards.check_not_on_site"
    status = 422
    zh = "核查位置不在现场范围内"


class ImplausibleDeviceTime(Refusal):
    """The device's time lies in the future, or before what it was there to look at."""

    code = "hazards.implausible_device_time"
    status = 422
    zh = "设备时间不合理"


class RemindedLately(Refusal):
    """You urged this case on a short while ago; `retry_at` says when you may again."""

    code = "hazards.reminded_lately"
    status = 409
    zh = "催办过于频繁，请稍后再试"


class SupervisionNotHigher(Refusal):
    """Supervision only goes up: this step, or a higher one, is in force."""

    code = "hazards.supervision_not_higher"
    status = 409
    zh = "督办只能升级，不得重复或降级"


class ListingNoTaken(Refusal):
    """Another listing has this number."""

    code = "hazards.listing_no_taken"
    status = 409
    zh = "挂牌编号已被使用"


class NotCompetent(Refusal):
    """Only a competent agency declares or lifts a major hazard: a county centre, or one with jurisdiction over it."""

    code = "hazards.not_competent"
    status = 403
    zh = "只有主管单位可认定或解除重大隐患"


class VisitAlreadyPlanned(Refusal):
    """A visit is planned for this day already."""

    code = "hazards.visit_already_planned"
    status = 409
    zh = "该日已安排走访"


class UnknownMergeTarget(Refusal):
    """There is no such case to merge into, or you may not see it."""

    code = "hazards.unknown_merge_target"
    status = 422
    zh = "并入的案件不存在或无权查看"


class MergeTargetEnded(Refusal):
    """Only an open case takes another in; a merged one says where it rests in `merged_into_id`."""

    code = "hazards.merge_target_ended"
    status = 409
    zh = "只能并入未办结的案件"


class MergeWouldReveal(Refusal):
    """A case is not merged into a less sensitive one, whose readers are more: merge the other into it."""

    code = "hazards.merge_would_reveal"
    status = 409
    zh = "不得并入敏感级别更低的案件"


class NotRatable(Refusal):
    """The case is not closed, or this report of it has been rated."""

    code = "hazards.not_ratable"
    status = 409
    zh = "案件未销号或已评价"


class AppealTooLate(Refusal):
    """The days in which the reporter may ask to have it handled again are over."""

    code = "hazards.appeal_too_late"
    status = 409
    zh = "已超过申请重办的期限"


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
