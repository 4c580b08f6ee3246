"""Refusals of `grid`: noun phrases; the docstring is the message, the code never changes."""

from __future__ import annotations

from contracts.refusals import Refusal


class ImportHasErrors(Refusal):
    """This import has errors; its report says which."""

    code = "grid.import_has_errors"
    status = 422
    zh = "导入存在错误，详见报告"


class ImportNotReady(Refusal):
    """This import is still being checked."""

    code = "grid.import_not_ready"
    status = 409
    zh = "导入仍在校验中"


class ImportAlreadyPublished(Refusal):
    """This import has already been published."""

    code = "grid.import_already_published"
    status = 409
    zh = "该导入已发布"


class ImportUnchanged(Refusal):
    """This import equals the boundary in force; there is nothing to publish."""

    code = "grid.import_unchanged"
    status = 409
    zh = "导入内容与现行网格完全一致，无需发布"


class ImportIdReused(Refusal):
    """This import id was used for another file, coordinate system or mapping."""

    code = "grid.import_id_reused"
    status = 409
    zh = "该导入编号已用于其他文件"


class UnknownCrs(Refusal):
    """The EPSG register has no such coordinate system of a map."""

    code = "grid.unknown_crs"
    status = 422
    zh = "EPSG 登记中没有这一平面或经纬度坐标系"


class OtherCounty(Refusal):
    """This platform already serves another county."""

    code = "grid.other_county"
    status = 422
    zh = "本平台已服务于其他县区"


class VoidedCodeReused(Refusal):
    """A voided area code cannot be used again."""

    code = "grid.voided_code_reused"
    status = 422
    zh = "已作废的编码不得重新使用"


class UnknownArea(Refusal):
    """No area of the boundary in force has this path."""

    code = "grid.unknown_area"
    status = 422
    zh = "现行网格中没有该区域"


class VoidedArea(Refusal):
    """This area has been voided; it takes no new links."""

    code = "grid.voided_area"
    status = 422
    zh = "该区域已作废，不得新增关联"


class UnknownAgency(Refusal):
    """No agency has this id."""

    code = "grid.unknown_agency"
    status = 422
    zh = "单位不存在"


class UnknownPerson(Refusal):
    """No member of staff has this id."""

    code = "grid.unknown_person"
    status = 422
    zh = "人员不存在"


class DuplicateAgencyCode(Refusal):
    """Another agency has this code."""

    code = "grid.duplicate_agency_code"
    status = 409
    zh = "单位编码已被使用"


class AgencyCycle(Refusal):
    """An agency cannot be its own superior."""

    code = "grid.agency_cycle"
    status = 422
    zh = "单位不得隶属于自身"


class OutsideCounty(Refusal):
    """This position lies outside the county."""

    code = "grid.outside_county"
    status = 422
    zh = "该位置不在本县区范围内"


class NoBoundary(Refusal):
    """No boundary has been published yet."""

    code = "grid.no_boundary"
    status = 409
    zh = "尚未发布网格边界"


class UnknownPlace(Refusal):
    """No key place with this id is open."""

    code = "grid.unknown_place"
    status = 422
    zh = "重点场所不存在或已关闭"


class PlaceElsewhere(Refusal):
    """This place lies in another area; leave the area out, the place says it."""

    code = "grid.place_elsewhere"
    status = 422
    zh = "该场所不在所填区域内；可不填区域，以场所为准"


class PostKindMisplaced(Refusal):
    """A post of this kind cannot stand there."""

    code = "grid.post_kind_misplaced"
    status = 422
    zh = "该类岗位不能设在此处"


class UnknownPost(Refusal):
    """This person holds no post with this id."""

    code = "grid.unknown_post"
    status = 422
    zh = "该人员没有此岗位"


class LeaveIdReused(Refusal):
    """This leave is another person's."""

    code = "grid.leave_id_reused"
    status = 409
    zh = "该请假编号属于其他人员"


class LeaveOverlaps(Refusal):
    """This person is away on some of these days already."""

    code = "grid.leave_overlaps"
    status = 409
    zh = "该人员在此期间已有请假记录"


class SubstituteIsHolder(Refusal):
    """Nobody stands in for himself."""

    code = "grid.substitute_is_holder"
    status = 422
    zh = "代岗人不能是本人"


class SubstituteInactive(Refusal):
    """The substitute is not active any more."""

    code = "grid.substitute_inactive"
    status = 422
    zh = "代岗人已停用"


class SubstituteAbsent(Refusal):
    """The substitute is away himself on some of these days."""

    code = "grid.substitute_absent"
    status = 422
    zh = "代岗人在此期间也请假"


class DuplicateExternalRef(Refusal):
    """This id of another system belongs to another entity here."""

    code = "grid.duplicate_external_ref"
    status = 409
    zh = "该外部系统编号已属于其他对象"


class UnknownCategory(Refusal):
    """No category of places in force has this code."""

    code = "grid.unknown_category"
    status = 422
    zh = "没有该场所类别，或该类别已停用"


class CategoryCycle(Refusal):
    """A category of places cannot stand below itself."""

    code = "grid.category_cycle"
    status = 422
    zh = "场所类别不得隶属于自身"


class UnknownRisk(Refusal):
    """A place's risk is one of four colours."""

    code = "grid.unknown_risk"
    status = 422
    zh = "风险等级须为红、橙、黄、蓝四色之一"


class UnknownHardware(Refusal):
    """The list of hardware kinds has no such code."""

    code = "grid.unknown_hardware"
    status = 422
    zh = "没有该防护设施类别"


class GivenTwice(Refusal):
    """The same thing stands in this list twice."""

    code = "grid.given_twice"
    status = 422
    zh = "列表中有重复项"


class QrSerialsUsedUp(Refusal):
    """This place's code cannot be renewed any more; put the place under another id."""

    code = "grid.qr_serials_used_up"
    status = 409
    zh = "该场所二维码序号已用尽，请以新编号登记"


class InvalidPeriod(Refusal):
    """A period ends before it begins."""

    code = "grid.invalid_period"
    status = 422
    zh = "结束日期早于开始日期"


class InvalidShape(Refusal):
    """This is no polygon that encloses something."""

    code = "grid.invalid_shape"
    status = 422
    zh = "不是有效的多边形"


class AliasTaken(Refusal):
    """Another area has this alias."""

    code = "grid.alias_taken"
    status = 409
    zh = "该别名已属于其他区域"


class BaseChanged(Refusal):
    """Another boundary was published since this change was made; make it again."""

    code = "grid.base_changed"
    status = 409
    zh = "此后已发布其他网格版本，请重新提交变更"


class UnknownVersion(Refusal):
    """There is no such former boundary version."""

    code = "grid.unknown_version"
    status = 422
    zh = "没有该历史网格版本"


class NotAChange(Refusal):
    """This import is a file, not a change of the boundary."""

    code = "grid.not_a_change"
    status = 409
    zh = "该导入是文件，不是网格变更"


class NotUndoable(Refusal):
    """Only the change that made the boundary in force can be undone."""

    code = "grid.not_undoable"
    status = 409
    zh = "只有现行版本对应的变更可以撤销"


class NotInPlan(Refusal):
    """The plan has no such post, or its grid did not become that one."""

    code = "grid.not_in_plan"
    status = 422
    zh = "方案中没有该岗位，或其网格未变更为所选网格"


class FieldMissing(Refusal):
    """A device of this kind needs this field."""

    code = "grid.device_field_missing"
    status = 422
    zh = "该类设备缺少必填项"


class FieldOfOtherKind(Refusal):
    """A device of this kind has no such field."""

    code = "grid.device_field_of_other_kind"
    status = 422
    zh = "该类设备没有此项"


class BadCameraNumber(Refusal):
    """This is no number of a front-end device by GB/T 28181."""

    code = "grid.bad_camera_number"
    status = 422
    zh = "不是符合 GB/T 28181 的前端设备编码"


class IncompleteView(Refusal):
    """A view sector is a bearing, an angle and a range: all of them or none."""

    code = "grid.incomplete_view"
    status = 422
    zh = "可视域的方位角、视场角、距离须同时填写或同时为空"


class DuplicateDevice(Refusal):
    """Another device in use has this number or address."""

    code = "grid.duplicate_device"
    status = 409
    zh = "该编码或地址已被另一在用设备使用"


class UnknownSpot(Refusal):
    """No spot has this code."""

    code = "grid.unknown_spot"
    status = 422
    zh = "安装部位编码不存在"


class BannedPlace(Refusal):
    """The law lets no camera hang in such a place."""

    code = "grid.banned_place"
    status = 422
    zh = "法规禁止在该部位安装图像采集设备"


class InvalidFiling(Refusal):
    """A filing has a day, which is not in the future."""

    code = "grid.invalid_filing"
    status = 422
    zh = "备案须有备案日期，且不得晚于今日"
