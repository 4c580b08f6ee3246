"""Disputes, after the people's mediation practice (domain.md, Disputes), and residents' requests."""

from __future__ import annotations

from contracts.hazards.commands import PutCategory
from services.hazards.domain.default_categories.parts import dispute, hours, line, number, one, request, workdays, yes

_AMOUNT = number("amount_yuan", "争议金额（元）", "Amount at issue, yuan", 0, 1e12)

DISPUTES: tuple[PutCategory, ...] = (
    dispute("dispute", "矛盾纠纷", "Dispute"),
    dispute(
        "dispute.family",
        "婚姻家庭纠纷",
        "Family dispute",
        yes("minors", "涉及未成年人", "Minors are involved"),
        sensitivity=2,
    ),
    dispute(
        "dispute.neighbours",
        "邻里纠纷",
        "Neighbours' dispute",
        one(
            "over",
            "起因",
            "Over",
            ("noise", "噪音", "Noise"),
            ("water", "漏水", "Leaks"),
            ("space", "公共空间", "Shared space"),
            ("boundary", "地界", "Boundary"),
            ("animals", "饲养动物", "Animals"),
            ("other", "其他", "Other"),
        ),
    ),
    dispute("dispute.housing", "房屋宅基地纠纷", "Housing and homestead dispute", _AMOUNT),
    dispute("dispute.contract", "合同纠纷", "Contract dispute", _AMOUNT),
    dispute("dispute.business", "生产经营纠纷", "Business dispute", _AMOUNT),
    dispute(
        "dispute.damages", "损害赔偿纠纷", "Damages dispute", _AMOUNT, yes("injured", "有人受伤", "Somebody was hurt")
    ),
    dispute(
        "dispute.land", "山林土地纠纷", "Forest and land dispute", number("area_mu", "面积（亩）", "Area, mu", 0, 1e6)
    ),
    dispute("dispute.expropriation", "征地拆迁纠纷", "Expropriation dispute", _AMOUNT),
    dispute(
        "dispute.labour",
        "劳动争议",
        "Labour dispute",
        _AMOUNT,
        one(
            "over",
            "争议事项",
            "Over",
            ("wages", "欠薪", "Wages"),
            ("injury", "工伤", "Injury at work"),
            ("contract", "劳动合同", "Contract"),
            ("insurance", "社会保险", "Insurance"),
        ),
    ),
    dispute("dispute.consumer", "消费纠纷", "Consumer dispute", _AMOUNT),
    dispute("dispute.medical", "医疗纠纷", "Medical dispute", sensitivity=2),
    dispute(
        "dispute.traffic",
        "交通事故纠纷",
        "Traffic accident dispute",
        _AMOUNT,
        line("accident_no", "事故认定书编号", "Accident report", 60),
    ),
    dispute(
        "dispute.property",
        "物业纠纷",
        "Property management dispute",
        one(
            "over",
            "争议事项",
            "Over",
            ("fees", "物业费", "Fees"),
            ("parking", "停车", "Parking"),
            ("repair", "维修", "Repairs"),
            ("service", "服务质量", "Service"),
            ("committee", "业委会", "Owners' committee"),
        ),
    ),
    dispute("dispute.environment", "环境污染纠纷", "Pollution dispute"),
    dispute("dispute.other", "其他纠纷", "Other dispute"),
)

REQUESTS: tuple[PutCategory, ...] = (
    request("request", "群众诉求", "Request", hours(168), hours(24)),
    request(
        "request.facilities",
        "公共设施维修",
        "Repair of public facilities",
        hours(120),
        hours(24),
        one(
            "what",
            "设施",
            "What",
            ("lamp", "路灯", "Street lamp"),
            ("bench", "座椅", "Bench"),
            ("fitness", "健身器材", "Fitness"),
            ("road", "路面", "Pavement"),
            ("tree", "树木", "Tree"),
            ("other", "其他", "Other"),
        ),
        gbt_30428="component:01",
        check_photo=True,
    ),
    request(
        "request.noise",
        "噪音扰民",
        "Noise complaint",
        hours(72),
        hours(8),
        one(
            "from",
            "噪音来源",
            "From",
            ("site", "施工", "Building site"),
            ("shop", "商业经营", "Shop"),
            ("dance", "广场舞", "Square dance"),
            ("home", "邻居", "Home"),
            ("traffic", "交通", "Traffic"),
        ),
        near=(100, 12),
    ),
    request(
        "request.sanitation", "环境卫生", "Sanitation", hours(72), hours(8), gbt_30428="event:01", check_photo=True
    ),
    request(
        "request.water_power",
        "停水停电",
        "Water or power cut",
        hours(24),
        hours(2),
        number("households", "影响户数", "Households", 1, 1e5),
        near=(300, 12),
    ),
    request("request.parking", "停车问题", "Parking", workdays(5), hours(24), near=(100, 48)),
    request("request.care", "关爱帮扶", "Care and help", hours(120), hours(24), sensitivity=2, public=True),
    request("request.consult", "政策咨询", "Question about rules", workdays(3), hours(8), near=(10, 1)),
    request("request.suggestion", "意见建议", "Suggestion", workdays(15), hours(24), near=(10, 1)),
    request("request.other", "其他诉求", "Other request", hours(168), hours(24)),
)
