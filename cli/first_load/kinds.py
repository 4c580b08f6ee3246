"""What can be imported: one table a kind. Another kind is another entry here: its fields, their names, its command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.first_load.values import Reader, Refused, certificates, code, day, number, text, yes_or_no
from contracts.commands import Command
from contracts.grid.commands import Crs, DeviceKind, PutAgency, PutDevice, PutPerson, PutPlace, PutPost
from services.grid.domain import posts as post_rules

AGENCY_KINDS = {
    "县综治中心": "county_centre",
    "区综治中心": "county_centre",
    "镇综治中心": "town_centre",
    "街道综治中心": "town_centre",
    "乡综治中心": "town_centre",
    "派出所": "police_station",
    "司法所": "judicial_office",
    "社区": "community",
    "居委会": "community",
    "村委会": "community",
    "物业公司": "property_company",
    "物业": "property_company",
    "志愿者组织": "volunteers",
}
POST_NAMES = {kind.zh: kind.code for kind in post_rules.KINDS.values()} | {
    "专职网格员": "grid_worker",
    "楼长": "building_chief",
    "社区民警": "village_police",
    "驻村民警": "village_police",
    "调解员": "mediator",
    "法律顾问": "legal_adviser",
    "村法律顾问": "legal_adviser",
    "安全员": "safety_officer",
    "保安": "property_guard",
    "保安员": "property_guard",
    "志愿者": "volunteer",
}
DEVICE_NAMES = {
    "摄像机": DeviceKind.CAMERA.value,
    "摄像头": DeviceKind.CAMERA.value,
    "监控": DeviceKind.CAMERA.value,
    "消防设备": DeviceKind.FIRE_DEVICE.value,
    "消防物联设备": DeviceKind.FIRE_DEVICE.value,
    "一键报警": DeviceKind.ALARM_BUTTON.value,
    "报警按钮": DeviceKind.ALARM_BUTTON.value,
}
RISKS = {"红": "red", "红色": "red", "重大": "red", "橙": "orange", "橙色": "orange", "较大": "orange"} | {
    "黄": "yellow", "黄色": "yellow", "一般": "yellow", "蓝": "blue", "蓝色": "blue", "低": "blue"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a command: the columns it may stand in, and how a cell is read.

    refers: the kind of thing that the cell's code means (area, agency, person, place); the field gets its path or id.
    names_at: an address of the API that lists codes with names; a name in the file then becomes its code.
    """

    name: str
    aliases: tuple[str, ...]
    read: Reader = text
    required: bool = False
    refers: str | None = None
    names_at: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: `PUT path/{id}` takes it, `GET path` lists what is there.

    key: the field that holds a row's own code; what is not a field of the command is kept as its external reference.
    natural: fields that name a row together where the file has no column for `key`.
    check: what the command's own class does not see; raises Refused.
    """

    name: str
    entity: str
    path: str
    id_field: str
    command: type[Command]
    fields: tuple[Field, ...]
    key: str = "key"
    natural: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # agencies before persons: their staff is found through them
    agency_of_person: bool = False
    check: Callable[[Mapping[str, Any]], None] | None = None
    unknown_to_lists: frozenset[str] = field(default=frozenset({"external_refs", "certificates", "crs"}))

    @property
    def located(self) -> bool:
        return "crs" in self.command.model_fields

    def by_name(self) -> Mapping[str, Field]:
        return {each.name: each for each in self.fields}


def _post_stands(body: Mapping[str, Any]) -> None:
    kind, path = str(body["kind"]), body.get("area_path")
    if "place_id" in body:
        if not post_rules.may_stand_at_a_place(kind):
            raise Refused("grid.post_kind_misplaced", "place_id", post_rules.levels_of(kind))
    elif path is None:
        raise Refused("missing", "area_path", "area_path / place_id")
    elif not post_rules.may_stand_in(kind, path):
        raise Refused("grid.post_kind_misplaced", "area_path", post_rules.levels_of(kind))
    if body.get("valid_until", body["valid_from"]) < body["valid_from"]:
        raise Refused("grid.invalid_period", "valid_until")


_ACTIVE = Field("active", ("是否启用", "启用", "是否在用", "是否有效"), yes_or_no)
_NAME = ("名称", "name")
_AGENCY = ("单位编码", "所属单位编码", "所属单位", "agency", "agency_code")
_AREA = (
    "区域编码",
    "网格编码",
    "所属网格编码",
    "所属区域编码",
    "辖区编码",
    "行政区划代码",
    "区划代码",
    "area",
    "area_code",
)
POSITION = (
    Field("lon", ("经度", "longitude", "lng", "x"), number, required=True),
    Field("lat", ("纬度", "latitude", "y"), number, required=True),
    Field("crs", ("坐标系",), code({each.value.upper(): each.value for each in Crs})),
)

AGENCIES = Kind(
    "agencies", "agency", "/v1/agencies", "agency_id", PutAgency,
    (
        Field("key", ("单位编码", "机构编码", "单位代码", "编码", "代码", "agency_code")),
        Field("code", ("平台编码",), code()),
        Field("name", ("单位名称", "机构名称", "单位", *_NAME), required=True),
        Field("kind", ("单位类型", "机构类型", "单位类别", "类型", "类别"), code(AGENCY_KINDS), required=True),
        Field("parent_id", ("上级单位编码", "上级编码", "上级单位", "parent", "parent_code"), refers="agency"),
        Field("area_path", _AREA, required=True, refers="area"),
        Field("duty_phone", ("值班电话", "单位电话", "联系电话", "电话", "phone")),
        _ACTIVE,
    ),
    natural=("code",), needs=("agency",),
)  # fmt: skip
PERSONS = Kind(
    "persons", "person", "/v1/persons", "person_id", PutPerson,
    (
        Field("key", ("人员编码", "人员编号", "工号", "编码", "编号", "code", "person_code"), required=True),
        Field("name", ("姓名", "人员姓名", "name"), required=True),
        Field("agency_id", _AGENCY, required=True, refers="agency"),
        # A private number is not asked for: it could not be kept encrypted yet.
        Field("duty_phone", ("值班电话", "工作电话", "办公电话")),
        Field("certificates", ("证书", "持证情况", "资格证书"), certificates),
        _ACTIVE,
    ),
    needs=("agency", "person"),
)  # fmt: skip
PLACES = Kind(
    "places", "place", "/v1/places", "place_id", PutPlace,
    (
        Field("key", ("场所编码", "场所编号", "场所代码", "编码", "编号", "code", "place_code"), required=True),
        Field("name", ("场所名称", "单位名称", *_NAME), required=True),
        Field("category", ("场所类别", "场所类型", "类别", "类型"), code(), True, names_at="/v1/place-categories"),
        *POSITION,
        Field("risk", ("风险等级", "风险颜色", "隐患等级"), code(RISKS)),
        _ACTIVE,
    ),
    needs=("place",),
)  # fmt: skip
POSTS = Kind(
    "posts", "post", "/v1/posts", "post_id", PutPost,
    (
        Field("key", ("岗位编码", "岗位编号", "code", "post_code")),
        Field("person_id", ("人员编码", "人员编号", "工号", "person", "person_code"), required=True, refers="person"),
        Field("agency_id", _AGENCY, refers="agency"),
        Field("kind", ("岗位类别", "岗位类型", "岗位", "类别", "类型"), code(POST_NAMES), required=True),
        Field("area_path", _AREA, refers="area"),
        Field("place_id", ("场所编码", "场所编号", "场所代码", "place", "place_code"), refers="place"),
        Field("valid_from", ("任职日期", "任职开始日期", "开始日期", "起始日期", "from"), day, required=True),
        Field("valid_until", ("离任日期", "任职结束日期", "结束日期", "截止日期", "until"), day),
    ),
    natural=("person_id", "kind", "area_path", "place_id", "valid_from"),
    needs=("agency", "person", "place", "post"), agency_of_person=True, check=_post_stands,
)  # fmt: skip

DEVICES = Kind(
    "devices", "device", "/v1/devices", "device_id", PutDevice,
    (
        Field("key", ("设备编码", "设备编号", "编码", "编号", "code", "device_code"), required=True),
        Field("kind", ("设备类型", "设备类别", "类型", "类别"), code(DEVICE_NAMES), required=True),
        Field("name", ("设备名称", "点位名称", *_NAME), required=True),
        Field("agency_id", _AGENCY, required=True, refers="agency"),
        *POSITION,
        Field("spot", ("安装部位", "部位"), code()),
        Field("place_id", ("场所编码", "场所编号", "场所代码", "place", "place_code"), refers="place"),
        Field("installed_on", ("安装日期", "启用日期"), day),
        Field("filed_on", ("备案日期",), day),
        Field("filing_no", ("备案编号", "备案号")),
        Field("gb_id", ("国标编码", "国标编号", "gb28181", "gbid")),
        Field("bearing_deg", ("方位角", "朝向"), number),
        Field("angle_deg", ("视场角", "可视角"), number),
        Field("range_m", ("可视距离", "可视半径"), number),
        Field("height_m", ("安装高度", "架设高度"), number),
        Field("source_address", ("传输装置地址", "源地址")),
        Field("system_type", ("系统类型",), number),
        Field("system_address", ("系统地址",), number),
        Field("part_type", ("部件类型",), number),
        Field("part_address", ("部件地址",), number),
        _ACTIVE,
    ),
    needs=("agency", "place", "device"),
)  # fmt: skip

KINDS = (AGENCIES, PERSONS, PLACES, POSTS, DEVICES)
LISTS = {kind.entity: kind for kind in KINDS}
