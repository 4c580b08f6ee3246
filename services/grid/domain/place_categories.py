"""The categories of places a new county starts with; data from then on (PutPlaceCategory), never an enum.

Codes may stand below another (`parent`). The checklists ask what a grid worker can see on the spot, in the four groups
of the practice (S1.3): fire, electrical, barriers, hardware. How often a place is due is a start, not a norm.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a checklist: answered by yes or no (yes is well), a number, or a picture."""

    code: str
    text: str
    kind: str
    group: str


@dataclass(frozen=True, slots=True)
class Seed:
    """One category; `period_days` None = no routine inspection."""

    code: str
    name: str
    name_en: str
    checklist: tuple[Item, ...]
    hardware: tuple[str, ...]
    period_days: int | None
    parent: str | None = None


def _items(group: str, *questions: tuple[str, str] | tuple[str, str, str]) -> tuple[Item, ...]:
    return tuple(Item(f"{group}.{q[0]}", q[1], q[2] if len(q) > 2 else "yes_no", group) for q in questions)


_FIRE = _items(
    "fire",
    ("exits_clear", "疏散通道、安全出口畅通，未上锁、未堵塞"),
    ("lane_clear", "消防车通道畅通，未被占用"),
    ("extinguishers", "灭火器在位、压力正常、在有效期内"),
    ("lights_and_signs", "应急照明和疏散指示标志完好"),
    ("drill", "半年内组织过疏散演练"),
)
_FIRE_SYSTEM = _items(
    "fire",
    ("hydrants", "消火栓有水、配件齐全"),
    ("alarm_system", "火灾自动报警系统运行正常，无屏蔽"),
    ("control_room", "消防控制室双人持证值守"),
)
_CROWD = _items("fire", ("headcount", "现场实际人数", "number"), ("windows_free", "门窗未设影响逃生的障碍物"))
_COOKING = _items("fire", ("gas", "燃气管线、阀门无泄漏，报警器有效"), ("flues", "厨房烟道按期清洗"))
_ELECTRICAL = _items(
    "electrical",
    ("wiring", "无私拉乱接电线"),
    ("load", "无超负荷用电，配电箱周围无可燃物"),
    ("charging", "电动自行车未在楼内停放、充电"),
    ("leakage_switch", "漏电保护开关有效"),
)
_BARRIERS = _items(
    "barriers",
    ("vehicle_barrier", "防冲撞设施在位、牢固"),
    ("perimeter", "围墙、围栏完整"),
    ("entrance", "出入口有人值守，外来人员登记"),
)
_HARDWARE = _items(
    "hardware",
    ("cameras", "重点部位监控正常，录像保存不少于30天"),
    ("one_key_alarm", "一键报警试警成功"),
    ("evidence", "现场照片", "photo"),
)
_GUARDS = _items("hardware", ("guards", "在岗保安人数", "number"), ("gear", "防护器械齐全、可用"))
_CHEMICALS = _items(
    "fire",
    ("ignition", "现场无明火、无违规动火"),
    ("separation", "危险物品分类存放，无超量、混存"),
    ("detectors", "可燃、有毒气体报警器有效"),
    ("spill", "泄漏应急处置器材齐全"),
)
_SITE = _items("barriers", ("edges", "临边洞口防护到位"), ("scaffold", "脚手架、起重机械验收合格并挂牌")) + _items(
    "fire", ("hot_work", "动火作业有审批、有监护"), ("dormitory", "宿舍未设在施工建筑内")
)
_WATER = _items("barriers", ("water_edge", "临水处护栏完整，警示标志清楚"), ("life_saving", "救生器材在位"))

_FIRE_KIT = ("fire_extinguisher", "emergency_light", "exit_sign")
_FIRE_SYSTEM_KIT = (*_FIRE_KIT, "fire_hydrant", "smoke_detector", "fire_alarm_panel")
_GATE_KIT = ("bollard", "barrier", "camera", "one_key_alarm")
_GUARD_KIT = ("shield", "restraint_fork", "baton", "helmet", "stab_vest")

_ORDINARY = _FIRE + _ELECTRICAL
_PUBLIC = _ORDINARY + _CROWD + _HARDWARE
_SCHOOL = _ORDINARY + _COOKING + _BARRIERS + _HARDWARE + _GUARDS
_CARE = _ORDINARY + _FIRE_SYSTEM + _COOKING + _HARDWARE

SEED: tuple[Seed, ...] = (
    Seed("school", "学校", "School", _SCHOOL, (*_FIRE_KIT, *_GATE_KIT, *_GUARD_KIT), 30),
    Seed("special.school", "特殊教育学校", "School for special needs", _SCHOOL, (*_FIRE_KIT, *_GATE_KIT, *_GUARD_KIT),
         30, "school"),
    Seed("kindergarten", "幼儿园", "Kindergarten", _SCHOOL, (*_FIRE_KIT, *_GATE_KIT, *_GUARD_KIT), 30),
    Seed("training_centre", "校外培训机构", "Tutoring centre", _PUBLIC, (*_FIRE_KIT, "camera"), 60),
    Seed("hospital", "医院", "Hospital", _CARE + _BARRIERS + _GUARDS,
         (*_FIRE_SYSTEM_KIT, "camera", "one_key_alarm", "security_gate"), 30),
    Seed("clinic", "诊所（卫生室）", "Clinic", _ORDINARY, _FIRE_KIT, 90, "hospital"),
    Seed("elderly_home", "养老机构", "Home for the elderly", _CARE, (*_FIRE_SYSTEM_KIT, "camera", "one_key_alarm"), 30),
    Seed("child_welfare", "儿童福利机构", "Children's home", _CARE, (*_FIRE_SYSTEM_KIT, "camera", "one_key_alarm"), 30),
    Seed("hotel", "宾馆（旅馆）", "Hotel", _PUBLIC + _FIRE_SYSTEM, (*_FIRE_SYSTEM_KIT, "camera"), 60),
    Seed("homestay", "民宿", "Homestay", _ORDINARY, (*_FIRE_KIT, "smoke_detector", "camera"), 90, "hotel"),
    Seed("ktv", "歌舞娱乐场所", "KTV", _PUBLIC + _FIRE_SYSTEM, (*_FIRE_SYSTEM_KIT, "camera"), 30),
    Seed("net_bar", "网吧", "Net bar", _PUBLIC, (*_FIRE_KIT, "smoke_detector", "camera"), 30),
    Seed("bath_house", "洗浴场所", "Bath house", _PUBLIC, (*_FIRE_KIT, "smoke_detector", "camera"), 60),
    Seed("cinema", "影剧院", "Cinema or theatre", _PUBLIC + _FIRE_SYSTEM, (*_FIRE_SYSTEM_KIT, "camera"), 60),
    Seed("gym", "体育健身场所", "Sports hall", _PUBLIC, (*_FIRE_KIT, "camera", "first_aid_kit"), 90),
    Seed("escape_room", "密室逃脱、剧本娱乐场所", "Escape room", _PUBLIC, (*_FIRE_KIT, "smoke_detector", "camera"), 30),
    Seed("restaurant", "餐饮场所", "Restaurant", _ORDINARY + _COOKING,
         (*_FIRE_KIT, "gas_detector", "gas_shut_off"), 60),
    Seed("market", "农贸市场、集贸市场", "Market", _PUBLIC + _BARRIERS,
         (*_FIRE_KIT, "fire_hydrant", "camera", "bollard"), 30),
    Seed("shopping_centre", "商场、超市", "Shopping centre", _PUBLIC + _FIRE_SYSTEM + _BARRIERS,
         (*_FIRE_SYSTEM_KIT, "camera", "bollard", "one_key_alarm"), 30),
    Seed("shop", "沿街商铺（九小场所）", "Shop", _ORDINARY, ("fire_extinguisher",), 90),
    Seed("firm", "企业", "Firm", _ORDINARY, (*_FIRE_KIT, "fire_hydrant"), 90),
    Seed("workshop", "家庭作坊", "Workshop", _ORDINARY, ("fire_extinguisher",), 60, "firm"),
    Seed("office_building", "写字楼", "Office building", _ORDINARY + _FIRE_SYSTEM, (*_FIRE_SYSTEM_KIT, "camera"), 90),
    Seed("estate", "住宅小区", "Residential estate", _ORDINARY + _BARRIERS,
         ("fire_extinguisher", "fire_hydrant", "camera", "charging_shelter"), 90),
    Seed("rental_building", "出租房（群租）", "Rented rooms", _ORDINARY, ("fire_extinguisher", "smoke_detector"), 60),
    Seed("dormitory", "集体宿舍", "Dormitory", _ORDINARY, (*_FIRE_KIT, "smoke_detector"), 60),
    Seed("construction_site", "建筑工地", "Construction site", _ORDINARY + _SITE, ("fire_extinguisher", "fence"), 30),
    Seed("hazardous_chemicals_firm", "危险化学品企业", "Hazardous-chemicals firm",
         _ORDINARY + _CHEMICALS + _BARRIERS + _HARDWARE,
         (*_FIRE_SYSTEM_KIT, "gas_detector", "spill_kit", "lightning_protection", "camera", "one_key_alarm"), 15),
    Seed("petrol_station", "加油加气站", "Petrol station", _ORDINARY + _CHEMICALS + _HARDWARE,
         (*_FIRE_KIT, "gas_detector", "spill_kit", "lightning_protection", "camera", "one_key_alarm"), 15,
         "hazardous_chemicals_firm"),
    Seed("gas_station", "燃气场站（供应站）", "Gas depot", _ORDINARY + _CHEMICALS + _HARDWARE,
         (*_FIRE_KIT, "gas_detector", "lightning_protection", "camera", "one_key_alarm"), 15,
         "hazardous_chemicals_firm"),
    Seed("fireworks_shop", "烟花爆竹经营点", "Fireworks shop", _ORDINARY + _CHEMICALS,
         ("fire_extinguisher", "camera"), 15, "hazardous_chemicals_firm"),
    Seed("warehouse", "仓库", "Warehouse", _ORDINARY, (*_FIRE_KIT, "fire_hydrant", "camera"), 60),
    Seed("courier_depot", "寄递物流网点", "Courier depot", _ORDINARY + _HARDWARE, ("fire_extinguisher", "camera"), 60,
         "warehouse"),
    Seed("station", "车站、码头", "Station", _PUBLIC + _BARRIERS + _GUARDS,
         (*_FIRE_SYSTEM_KIT, *_GATE_KIT, "security_gate"), 30),
    Seed("car_park", "停车场", "Car park", _ORDINARY, ("fire_extinguisher", "camera"), 90),
    Seed("park", "公园、广场", "Park or square", _WATER + _BARRIERS, ("bollard", "camera", "life_buoy"), 60),
    Seed("scenic_area", "旅游景区", "Scenic area", _PUBLIC + _WATER + _BARRIERS,
         (*_FIRE_KIT, "camera", "one_key_alarm", "first_aid_kit", "loudspeaker"), 30),
    Seed("open_water", "江河湖库等危险水域", "Open water", _WATER, ("fence", "life_buoy"), 30),
    Seed("religious_site", "宗教活动场所", "Religious site", _PUBLIC, (*_FIRE_KIT, "camera"), 60),
    Seed("heritage_site", "文物保护单位", "Heritage site", _ORDINARY + _HARDWARE, (*_FIRE_KIT, "camera"), 60),
    Seed("bank", "银行网点", "Bank", _ORDINARY + _BARRIERS + _HARDWARE,
         (*_FIRE_KIT, "camera", "one_key_alarm", "access_control"), 60),
    Seed("government_office", "党政机关", "Government office", _ORDINARY + _BARRIERS + _GUARDS,
         (*_FIRE_KIT, *_GATE_KIT), 90),
    Seed("utility_site", "水电气热通信设施", "Utility site", _ORDINARY + _BARRIERS,
         ("fire_extinguisher", "fence", "camera"), 60),
    Seed("farm", "养殖场、农业大棚", "Farm", _ORDINARY, ("fire_extinguisher",), 180),
    Seed("other", "其他重点场所", "Other key place", _ORDINARY, ("fire_extinguisher",), None),
)  # fmt: skip
