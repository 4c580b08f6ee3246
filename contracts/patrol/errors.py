"""Refusals of `patrol`: noun phrases; the docstring is the message, the code never changes."""

from __future__ import annotations

from contracts.refusals import Refusal


class UnitInactive(Refusal):
    """The unit is not active; it cannot be planned or put on duty."""

    code = "patrol.unit_inactive"
    status = 409
    zh = "该巡防力量已停用，不能排班或上岗"


class UnknownUnit(Refusal):
    """No unit with this id is visible to you."""

    code = "patrol.unknown_unit"
    status = 422
    zh = "巡防力量不存在或无权查看"


class AgencyInactive(Refusal):
    """The agency is not active; it cannot have units."""

    code = "patrol.agency_inactive"
    status = 422
    zh = "所属单位已停用"


class UnitOfAnotherAgency(Refusal):
    """A unit stays with its agency; make a new unit for another one."""

    code = "patrol.unit_of_another_agency"
    status = 409
    zh = "巡防力量不能变更所属单位"


class ShiftTimes(Refusal):
    """A shift ends after it starts and lasts 24 hours at most."""

    code = "patrol.shift_times"
    status = 422
    zh = "班次结束时间须晚于开始时间，且时长不超过24小时"


class DuplicateShift(Refusal):
    """This shift id is in use for another plan."""

    code = "patrol.duplicate_shift"
    status = 409
    zh = "该班次编号已用于其他排班"


class IllegalShiftMove(Refusal):
    """This move is not legal from the shift's status; `legal_moves` says which are."""

    code = "patrol.illegal_shift_move"
    status = 409
    zh = "班次当前状态不允许该操作"


class UnitOnDuty(Refusal):
    """The unit has another started shift; end that one first."""

    code = "patrol.unit_on_duty"
    status = 409
    zh = "该巡防力量已有进行中的班次，请先结束"


class ShiftOver(Refusal):
    """The shift's planned time and its grace are over; plan a new one."""

    code = "patrol.shift_over"
    status = 409
    zh = "班次计划时间已过，请重新排班"


class MissingCrs(Refusal):
    """A batch of positions names its coordinate system: wgs84, cgcs2000, gcj02 or bd09."""

    code = "patrol.missing_crs"
    status = 422
    zh = "缺少坐标系 crs（wgs84、cgcs2000、gcj02、bd09）"


class MalformedBatch(Refusal):
    """The body is not a batch of positions."""

    code = "patrol.malformed_batch"
    status = 422
    zh = "位置数据格式不正确"


class BatchTooLarge(Refusal):
    """Too many fixes in one batch; send several."""

    code = "patrol.batch_too_large"
    status = 413
    zh = "单批位置数量超限，请分批上报"


class MissingPurpose(Refusal):
    """Position history is personal data: name the purpose of reading it, one that your account has."""

    code = "patrol.missing_purpose"
    status = 403
    zh = "轨迹属于个人信息，须注明并具备查询目的"
