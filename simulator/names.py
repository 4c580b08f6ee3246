"""Invented names that read as real Chinese ones. Nobody and nothing that exists is meant."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

COUNTY = "澄安县"
STREETS = ("安澜街道", "望湖街道", "清晖街道")
TOWNS = ("云塘镇", "柳浦镇", "石洋镇", "白泾镇", "松岭镇")
TOWNSHIPS = ("竹溪乡", "霞坞乡")

_FIRST = "云柳石白松竹霞青荷桐枫兰桃杏梅银金玉永长新双大南北东西上下前后龙凤鹤鹭雁洪沈陆顾施钱徐丁"
_VILLAGE = (
    "塘",
    "浜",
    "桥",
    "港",
    "墩",
    "坞",
    "湾",
    "溪",
    "埭",
    "岭",
    "泾",
    "荡",
    "圩",
    "堰",
    "岗",
    "家桥",
    "家浜",
    "泉",
)
_COMMUNITY_FIRST = ("锦", "福", "惠", "和", "康", "瑞", "文", "景", "翠", "丹", "馨", "嘉", "明", "春", "秋", "星")
_COMMUNITY = ("苑", "园", "里", "坊", "庭", "洲", "源", "晖", "汇", "亭")

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "建国明华丽芳秀英志强海燕春梅文斌小红永康佳怡晓东雪峰玉兰国平新民卫星立群素珍金根水生阿荣"

_SHOPS = (
    "祥瑞",
    "鸿运",
    "金桂",
    "绿洲",
    "百合",
    "天成",
    "恒远",
    "双喜",
    "紫荆",
    "朝阳",
    "兴业",
    "同心",
    "德盛",
    "宏图",
)


def villages(random: Random, count: int) -> list[str]:
    """Distinct names of villagers' committees, ending in 村."""
    every = [f"{first}{last}村" for first in _FIRST for last in _VILLAGE if first not in last]
    return random.sample(every, count)


def communities(random: Random, count: int) -> list[str]:
    """Distinct names of residents' committees, ending in 社区."""
    every = [f"{first}{last}社区" for first in _COMMUNITY_FIRST for last in _COMMUNITY]
    return random.sample(every, count)


def people(random: Random) -> Iterator[str]:
    """Names of staff, without end; a name may return, as in life."""
    while True:
        length = random.choice((1, 2, 2, 2))
        yield random.choice(_SURNAMES) + "".join(random.sample(_GIVEN, length))


# category -> name of a place; {near} is the village or community it lies in, {shop} a trading name.
PLACES: dict[str, tuple[str, ...]] = {
    "school": ("{near}中心小学", "{near}初级中学", "{near}幼儿园", "{near}职业学校"),
    "hospital": ("{near}卫生院", "{near}社区卫生服务中心", "{shop}骨科医院"),
    "market": ("{near}农贸市场", "{shop}小商品市场", "{near}夜市"),
    "firm": ("{shop}纺织有限公司", "{shop}五金厂", "{shop}食品有限公司", "{shop}木业有限公司"),
    "park": ("{near}公园", "{near}湿地公园"),
    "hotel": ("{shop}宾馆", "{shop}大酒店"),
    "ktv": ("{shop}歌厅",),
    "net_bar": ("{shop}网吧",),
    "estate": ("{shop}花园", "{near}新村小区", "{shop}名苑"),
    "construction_site": ("{near}安置房工地", "{shop}广场工地"),
    "hazardous_chemicals_firm": ("{shop}化工有限公司", "{shop}加油站", "{shop}燃气站"),
    "elderly_home": ("{near}敬老院",),
}


def place(random: Random, category: str, near: str, taken: set[str]) -> str:
    """A name for a place of this category in `near` that is not `taken` yet; it is from now on."""
    bare = near.removesuffix("社区").removesuffix("村")
    for attempt in range(1000):
        name = random.choice(PLACES[category]).format(near=bare, shop=random.choice(_SHOPS))
        name = name if attempt < 8 else f"{bare}{name}" if bare not in name else f"{random.choice(_FIRST)}{name}"
        if name not in taken:
            taken.add(name)
            return name
    raise ValueError(f"no name is left for another {category} in {near}")
