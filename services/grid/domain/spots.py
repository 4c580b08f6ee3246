"""Where on a site a device hangs, and where the law lets no camera hang.

Source of what is banned: 公共安全视频图像信息系统管理条例 (State Council decree 799, in force 2025-04-01), article 8.
The other spots follow the public places of its article 7 and the rooms where fire devices stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ROOMS: Final = "第八条第一款第（一）项：旅馆、饭店、宾馆、招待所、民宿等经营接待食宿场所的客房或者包间内部"
_DORMITORIES: Final = "第八条第一款第（二）项：学生宿舍的房间内部，或者单位为内部人员提供住宿、休息服务的房间内部"
_WASHING: Final = "第八条第一款第（三）项：公共的浴室、卫生间、更衣室、哺乳室、试衣间的内部"
_PRIVATE: Final = "第八条第一款第（四）项：安装图像采集设备后能够拍摄、窥视、窃听他人隐私的其他区域、部位"


@dataclass(frozen=True, slots=True)
class Spot:
    """`banned` is what the law says of cameras there, None where they may hang."""

    name: str
    name_en: str
    banned: str | None = None


SPOTS: Final[dict[str, Spot]] = {
    "road": Spot("道路", "road"),
    "crossing": Spot("路口", "crossing"),
    "bridge": Spot("桥梁", "bridge"),
    "tunnel": Spot("隧道", "tunnel"),
    "underpass": Spot("地下通道", "underpass"),
    "square": Spot("广场", "square"),
    "park": Spot("公园", "park"),
    "waterside": Spot("水域岸边", "waterside"),
    "parking": Spot("停车场", "car park"),
    "perimeter": Spot("周界", "perimeter"),
    "entrance": Spot("出入口", "entrance"),
    "yard": Spot("院落", "yard"),
    "hall": Spot("大厅", "hall"),
    "corridor": Spot("走廊", "corridor"),
    "stairs": Spot("楼梯间", "stairs"),
    "lift": Spot("电梯轿厢", "lift"),
    "roof": Spot("屋顶", "roof"),
    "shop_floor": Spot("营业区", "shop floor"),
    "classroom": Spot("教室", "classroom"),
    "workshop": Spot("车间", "workshop"),
    "warehouse": Spot("仓库", "warehouse"),
    "waiting_area": Spot("候车（机、船）区", "waiting area"),
    "vehicle": Spot("公共交通工具", "public transport vehicle"),
    "duty_room": Spot("值班室", "duty room"),
    "fire_control_room": Spot("消防控制室", "fire control room"),
    "pump_room": Spot("消防水泵房", "pump room"),
    "equipment_room": Spot("设备间", "equipment room"),
    "kitchen": Spot("厨房", "kitchen"),
    "outdoors": Spot("其他室外公共部位", "elsewhere outdoors"),
    "indoors": Spot("其他室内公共部位", "elsewhere indoors"),
    "guest_room": Spot("客房", "guest room", _ROOMS),
    "private_dining_room": Spot("包间", "private dining room", _ROOMS),
    "student_dormitory": Spot("学生宿舍房间", "student dormitory room", _DORMITORIES),
    "staff_bedroom": Spot("员工住宿、休息房间", "room where staff sleep or rest", _DORMITORIES),
    "bathroom": Spot("公共浴室", "public bathroom", _WASHING),
    "toilet": Spot("公共卫生间", "public toilet", _WASHING),
    "changing_room": Spot("更衣室", "changing room", _WASHING),
    "nursing_room": Spot("哺乳室", "nursing room", _WASHING),
    "fitting_room": Spot("试衣间", "fitting room", _WASHING),
    "other_private": Spot("其他涉及他人隐私的部位", "elsewhere where people's privacy would be seen", _PRIVATE),
}


def known(spot: str) -> bool:
    """Whether the table has this code."""
    return spot in SPOTS


def ban_of(spot: str) -> str | None:
    """What the law says against a camera there; None where one may hang, or for a code that nobody knows."""
    found = SPOTS.get(spot)
    return None if found is None else found.banned
