"""What simulated reports say: some hundred thousand different sentences, of no real place or person."""

from __future__ import annotations

from random import Random

_WHERE = (
    "东侧", "西侧", "南门", "北门", "入口处", "路口", "地下车库", "三楼走廊", "一楼门厅", "楼顶", "围墙外",
    "公交站旁",
    "菜市场门口", "学校门口", "河埠头", "桥头", "小区中心花园", "沿街商铺前", "停车场", "工地大门",
    "厂区仓库", "配电房旁",
)  # fmt: skip
_SPOTS = (
    "安澜街", "望湖路", "清晖巷", "锦福苑", "惠和里", "康瑞坊", "文景庭", "翠丹洲", "馨嘉源", "明春晖",
    "秋星汇", "柳浦大道",
    "石洋工业园", "白泾老街", "松岭村口", "竹溪桥", "霞坞水库", "云塘集镇", "金桂广场", "绿洲花园",
    "朝阳新村", "同心公寓",
)  # fmt: skip
_WHAT: dict[str, tuple[str, ...]] = {
    "fire": ("消防通道被杂物堵塞", "楼道内电动车违规充电", "灭火器过期失效", "私拉电线充电", "消火栓无水",
    "应急照明损坏",
             "仓库内堆放易燃物", "安全出口上锁", "电气线路老化裸露", "烟感报警器被遮挡"),
    "gas": ("闻到燃气异味", "燃气管道锈蚀", "燃气软管老化开裂", "餐饮店气瓶间无通风"),
    "hazmat": ("危险化学品混放", "储罐区无警示标志", "废弃化学品桶无人看管"),
    "construction": ("脚手架缺少防护网", "基坑周边未设护栏", "塔吊下有人员通行", "工人未戴安全帽"),
    "building": ("外墙瓷砖脱落", "房屋墙体开裂倾斜", "老旧阳台有坠落危险"),
    "traffic": ("信号灯不亮", "路面塌陷", "护栏被撞坏", "大货车违规停放", "标线磨损看不清", "路口视线被遮挡"),
    "public_order": ("多人聚集争吵", "夜间有人翻越围墙", "陌生人员尾随学生", "酒后滋事"),
    "school": ("校门口车辆拥堵", "校车超员", "周边流动摊贩占道", "校园围墙破损"),
    "drowning": ("水库边有儿童玩耍", "河道护栏缺失", "救生圈被取走", "深水区警示牌倒塌"),
    "manhole": ("井盖缺失", "井盖破损松动", "雨水箅子被盗"),
    "food_safety": ("餐饮店后厨脏乱", "售卖过期食品", "无证经营熟食"),
    "environment": ("工厂夜间偷排废水", "河水发黑发臭", "露天焚烧垃圾", "扬尘严重"),
    "flood": ("道路积水严重", "边坡有滑塌迹象", "排水沟堵塞", "地下室进水"),
    "dispute": ("因漏水问题发生纠纷", "因宅基地边界争执", "因拖欠工资起争议", "因停车位争吵", "因装修噪音产生矛盾",
                "因购物退款发生争议", "因赡养问题家庭矛盾"),
    "request": ("路灯不亮请求维修", "垃圾清运不及时", "广场舞噪音扰民", "独居老人需要帮扶", "健身器材损坏",
    "公厕无人打扫",
                "树枝遮挡路灯需修剪"),
}  # fmt: skip
_MORE = (
    "存在安全隐患", "请尽快处理", "已持续三天", "影响居民通行", "多次反映未解决", "现场已拍照",
    "已口头告知业主", "夜间尤为严重",
    "有老人和儿童经过", "下雨天更加危险", "已设置临时警示", "需要专业单位处置", "附近商户也有反映", "建议联合检查",
)  # fmt: skip


def sentence(random: Random, category: str) -> str:
    """One report's words for a category's code."""
    what = _WHAT.get(category.partition(".")[0]) or _WHAT["request"]
    parts = random.choice(_SPOTS), random.choice(_WHERE), random.choice(what), random.choice(_MORE)
    return f"{parts[0]}{random.randrange(1, 200)}号{parts[1]}{parts[2]}，{parts[3]}。"


def sentences(seed: str, category: str, count: int) -> list[str]:
    random = Random(f"texts:{seed}:{category}")
    return [sentence(random, category) for _ in range(count)]
