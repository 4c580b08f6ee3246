"""Refusals of `hazards`: noun phrases; the docstring is the message, the code never changes."""

from __future__ import annotations

from contracts.refusals import Refusal


class IllegalMove(Refusal):
    """This move is not legal from the case's state; `legal_moves` says which are."""

    code = "hazards.illegal_move"
    status = 409
    zh = "当前状态不允许该操作"


class ReturnWindowOver(IllegalMove):
    """The time in which this dispatch could be returned is over; accept it, or ask a centre to reassign it."""

    code = "hazards.return_window_over"
    zh = "已超过退回时限，请签收或由中心改派"


class WrongLevel(Refusal):
    """The case cannot go to this level from where it is."""

    code = "hazards.wrong_level"
    status = 409
    zh = "案件不能从当前层级转到该层级"


class TakesPartAlready(Refusal):
    """This agency leads the case, or assists already."""

    code = "hazards.takes_part_already"
    status = 409
    zh = "该单位已是主办单位或协办单位"


class NotAssisting(Refusal):
    """This agency was not asked to assist, or has finished."""

    code = "hazards.not_assisting"
    status = 409
    zh = "该单位未在协办"


class TooManyAgencies(Refusal):
    """A case has no room for so many assisting agencies."""

    code = "hazards.too_many_agencies"
    status = 409
    zh = "协办单位数量超出上限"


class UnknownParent(Refusal):
    """No case that you may see has this id."""

    code = "hazards.unknown_parent"
    status = 422
    zh = "父案件不存在或无权查看"


class ParentEnded(Refusal):
    """The case that should be the parent has ended."""

    code = "hazards.parent_ended"
    status = 409
    zh = "父案件已办结"


class CaseCircle(Refusal):
    """A case cannot be below itself."""

    code = "hazards.case_circle"
    status = 409
    zh = "父子案件关系不能成环"


class CasesTooDeep(Refusal):
    """Cases would stand more levels below one another than there may be."""

    code = "hazards.cases_too_deep"
    status = 409
    zh = "父子案件层级过深"


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


class NotAppealable(Refusal):
    """The case is not closed, or this report of it has not been rated badly."""

    code = "hazards.not_appealable"
    status = 409
    zh = "案件未销号或未评价为不满意"


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


class ImplausibleTime(Refusal):
    """`occurred_at` lies in the future or too long ago."""

    code = "hazards.implausible_time"
    status = 422
    zh = "发生时间晚于当前时间或过于久远"


class UnknownFile(Refusal):
    """No upload of yours that is still free has this id."""

    code = "hazards.unknown_file"
    status = 422
    zh = "附件不存在、已被使用或不是本人上传"


class TooManyFiles(Refusal):
    """The case, or this report or move, would have more files than a case may have."""

    code = "hazards.too_many_files"
    status = 422
    zh = "附件数量超过上限"


class FilesTooLarge(Refusal):
    """The files of the case would be larger together than a case's may be."""

    code = "hazards.files_too_large"
    status = 413
    zh = "案件附件总大小超过上限"


class UploadLimit(Refusal):
    """You have uploaded as much as one account may in a day."""

    code = "hazards.upload_limit"
    status = 429
    zh = "今日上传数量已达上限"


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
