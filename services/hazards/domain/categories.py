"""The first categories, as migration 0001 brings them; frozen. What counties start with is `default_categories`.

Codes are dotted: a routing rule or jurisdiction for `fire` covers `fire.electrical` too. Dispute types follow the
list of the people's mediation practice (domain.md, Disputes).
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.hazards.events import Kind


@dataclass(frozen=True, slots=True)
class Seed:
    """One category: hours to handle since the report, hours to accept or return a dispatch."""

    code: str
    name: str
    name_en: str
    kind: Kind
    handle_hours: float
    accept_hours: float
    emergency: bool = False
    sensitivity: int = 1


_H, _D, _R = Kind.HAZARD, Kind.DISPUTE, Kind.REQUEST

SEED: tuple[Seed, ...] = (
    Seed("fire", "火情火警", "Fire", _H, 4, 0.25, emergency=True),
    Seed("fire.exit_blocked", "消防通道堵塞", "Blocked fire exit", _H, 24, 2),
    Seed("fire.electrical", "电气线路隐患", "Unsafe electrical wiring", _H, 72, 8),
    Seed("fire.charging", "电动车违规充电", "Charging in stairwells", _H, 48, 4),
    Seed("fire.equipment", "消防设施损坏", "Broken fire equipment", _H, 72, 8),
    Seed("gas.leak", "燃气泄漏", "Gas leak", _H, 4, 0.25, emergency=True),
    Seed("hazmat", "危险化学品隐患", "Hazardous chemicals", _H, 24, 1, sensitivity=2),
    Seed("construction", "建筑施工安全", "Construction safety", _H, 72, 8),
    Seed("building.unsafe", "危房及外墙脱落", "Unsafe building", _H, 72, 4),
    Seed("traffic", "道路交通安全", "Road safety", _H, 72, 8),
    Seed("traffic.signal", "信号标志损坏", "Broken signal or sign", _H, 48, 4),
    Seed("public_order", "社会治安", "Public order", _H, 24, 1, sensitivity=2),
    Seed("public_order.crowd", "人群聚集风险", "Crowd risk", _H, 8, 0.5, emergency=True),
    Seed("school", "校园及周边安全", "School safety", _H, 48, 4),
    Seed("drowning", "涉水溺水风险", "Drowning risk", _H, 48, 4),
    Seed("manhole", "井盖缺失", "Missing manhole cover", _H, 12, 1),
    Seed("food_safety", "食品安全", "Food safety", _H, 72, 8),
    Seed("environment", "环境污染", "Pollution", _H, 72, 8),
    Seed("flood", "积水内涝地质灾害", "Flooding and landslides", _H, 12, 0.5, emergency=True),
    Seed("dispute.family", "婚姻家庭纠纷", "Family dispute", _D, 720, 24, sensitivity=2),
    Seed("dispute.neighbours", "邻里纠纷", "Neighbours' dispute", _D, 720, 24),
    Seed("dispute.housing", "房屋宅基地纠纷", "Housing and homestead dispute", _D, 720, 24),
    Seed("dispute.contract", "合同纠纷", "Contract dispute", _D, 720, 24),
    Seed("dispute.business", "生产经营纠纷", "Business dispute", _D, 720, 24),
    Seed("dispute.damages", "损害赔偿纠纷", "Damages dispute", _D, 720, 24),
    Seed("dispute.land", "山林土地纠纷", "Forest and land dispute", _D, 720, 24),
    Seed("dispute.expropriation", "征地拆迁纠纷", "Expropriation dispute", _D, 720, 24),
    Seed("dispute.labour", "劳动争议", "Labour dispute", _D, 720, 24),
    Seed("dispute.consumer", "消费纠纷", "Consumer dispute", _D, 720, 24),
    Seed("dispute.medical", "医疗纠纷", "Medical dispute", _D, 720, 24, sensitivity=2),
    Seed("dispute.traffic", "交通事故纠纷", "Traffic accident dispute", _D, 720, 24),
    Seed("dispute.property", "物业纠纷", "Property management dispute", _D, 720, 24),
    Seed("dispute.environment", "环境污染纠纷", "Pollution dispute", _D, 720, 24),
    Seed("dispute.other", "其他纠纷", "Other dispute", _D, 720, 24),
    Seed("request.facilities", "公共设施维修", "Repair of public facilities", _R, 120, 24),
    Seed("request.noise", "噪音扰民", "Noise complaint", _R, 72, 8),
    Seed("request.sanitation", "环境卫生", "Sanitation", _R, 72, 8),
    Seed("request.care", "关爱帮扶", "Care and help", _R, 120, 24, sensitivity=2),
    Seed("request.other", "其他诉求", "Other request", _R, 168, 24),
)
