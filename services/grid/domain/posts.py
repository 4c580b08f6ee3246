"""Kinds of posts: what each is called, where it may stand, and whether it answers for "who is on duty here".

A kind is a code (contracts): a county may have kinds of its own, which stand anywhere and answer. Rules are only for
what the practice is clear about: a legal adviser is a village's, a grid worker no county's.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.areas import LEVELS, Level, ancestors

ANYWHERE = frozenset(LEVELS)


@dataclass(frozen=True, slots=True)
class PostKind:
    """One kind; `levels` are those of the areas it may stand in, `at_place` whether a key place may have it."""

    code: str
    zh: str
    en: str
    levels: frozenset[Level] = ANYWHERE
    at_place: bool = True
    on_duty: bool = True


_GROUND = frozenset({Level.VILLAGE, Level.GRID})
KINDS: dict[str, PostKind] = {
    kind.code: kind
    for kind in (
        PostKind("grid_worker", "网格员", "grid worker", _GROUND, at_place=False),
        PostKind("deputy_grid_worker", "副网格员", "deputy grid worker", _GROUND, at_place=False),
        PostKind("building_chief", "楼栋长", "building chief", frozenset({Level.GRID})),
        PostKind("village_police", "社区（驻村）民警", "village police officer", at_place=False),
        PostKind("mediator", "人民调解员", "mediator"),
        PostKind("legal_adviser", "村（社区）法律顾问", "legal adviser", frozenset({Level.VILLAGE}), at_place=False),
        # Registered because they know the law, not because they would be called out.
        PostKind("legally_versed_villager", "法律明白人", "legally-versed villager", _GROUND, at_place=False,
                 on_duty=False),
        PostKind("safety_officer", "场所安全员", "safety officer of a place"),
        PostKind("property_guard", "物业保安", "property guard"),
        PostKind("volunteer", "平安志愿者", "volunteer", on_duty=False),
        PostKind("patrol_officer", "巡防队员", "patrol officer"),
    )
}  # fmt: skip
NOT_ON_DUTY = tuple(sorted(kind.code for kind in KINDS.values() if not kind.on_duty))
"""Kinds that a look-up of who is on duty leaves out."""


def level_of_path(path: str) -> Level:
    """The level of an area by its path; what lies below a grid counts as one."""
    return LEVELS[min(len(ancestors(path)), len(LEVELS)) - 1]


def may_stand_in(kind: str, path: str) -> bool:
    """Whether an area may have a post of this kind; a kind of the county's own stands anywhere."""
    return kind not in KINDS or level_of_path(path) in KINDS[kind].levels


def may_stand_at_a_place(kind: str) -> bool:
    """Whether a key place may have a post of this kind."""
    return kind not in KINDS or KINDS[kind].at_place


def levels_of(kind: str) -> str:
    """For messages: the levels at which a known kind stands, from the widest."""
    return " or ".join(level.value for level in LEVELS if level in KINDS[kind].levels)
