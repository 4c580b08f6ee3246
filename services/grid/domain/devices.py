"""Rules of devices: a camera's number by GB/T 28181, a fire device's address by GB/T 26875.3, and when a camera must
be on the police's file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

CAMERA_ID_FORM: Final = "20 digits: centre 8, trade 2, type 3 (111 to 199, a camera 131 or 132), number 7"

# GB/T 2260: the first two digits of every division's code.
PROVINCES: Final = frozenset(
    str(number)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for number in range(first, last + 1)
)

# GB/T 28181 annex D, code rule A: 111-130 main devices at the front end, 131-199 what hangs on them; from 200 on
# platforms, users and servers. Numbers that the table leaves to extensions are front-end devices all the same.
FRONT_END: Final = range(111, 200)
FRONT_END_TYPES: Final[dict[int, str]] = {
    111: "DVR",
    112: "视频服务器",
    113: "编码器",
    114: "解码器",
    115: "视频切换矩阵",
    116: "音频切换矩阵",
    117: "报警控制器",
    118: "网络视频录像机（NVR）",
    131: "摄像机",
    132: "网络摄像机（IPC）",
    133: "显示器",
    134: "报警输入设备",
    135: "报警输出设备",
    136: "语音输入设备",
    137: "语音输出设备",
    138: "移动传输设备",
    139: "其他外围设备",
}
CAMERA_TYPES: Final = frozenset({131, 132})

# 公共安全视频图像信息系统管理条例 (State Council decree 799), article 14: filed with the county's public security organ
# within 30 days of coming into use; what was in use before the decree, within 90 days of its coming into force.
IN_FORCE_ON: Final = date(2025, 4, 1)
FILING_DAYS: Final = 30
FILING_DAYS_BEFORE: Final = 90


class BadCameraId(ValueError):
    """The message says which part is wrong."""


@dataclass(frozen=True, slots=True)
class CameraId:
    """The parts of a camera's number."""

    centre: str
    trade: str
    type: int
    serial: str


def camera_id(text: str) -> CameraId:
    """The parts of a 20-digit number of a front-end device. Raises BadCameraId."""
    if not (text.isascii() and text.isdigit() and len(text) == 20):
        raise BadCameraId(f"{len(text)} characters; the number of a camera has 20 digits")
    found = CameraId(text[:8], text[8:10], int(text[10:13]), text[13:])
    if found.centre[:2] not in PROVINCES:
        raise BadCameraId(f"the centre code {found.centre} begins with no province of GB/T 2260")
    if found.type not in FRONT_END:
        raise BadCameraId(f"type code {text[10:13]} is no device at the front end (111 to 199)")
    return found


def warnings_of(number: CameraId, county_code: str) -> list[str]:
    """What is odd about a camera's number and no reason to refuse it."""
    odd = []
    if not number.centre.startswith(county_code):
        odd.append("centre_of_other_county")
    if number.type not in CAMERA_TYPES:
        odd.append("not_a_camera_type")
    return odd


def fire_address(source: str, system_type: int, system_address: int, part_type: int, part_address: int) -> str:
    """One spelling of a fire device's whole address: transmitter (6 bytes), system (type, address), part (type, 4
    bytes of address), in hex digits."""
    return f"{source.lower()}-{system_type:02x}{system_address:02x}-{part_type:02x}{part_address:08x}"


def filing_due_on(in_use_from: date) -> date:
    """The last day on which a camera in use from that day is filed in time."""
    if in_use_from < IN_FORCE_ON:
        return IN_FORCE_ON + timedelta(days=FILING_DAYS_BEFORE)
    return in_use_from + timedelta(days=FILING_DAYS)
