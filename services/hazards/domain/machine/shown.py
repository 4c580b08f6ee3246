"""The table as others see it: JSON for GET /v1/states, a drawing for the docs."""

from __future__ import annotations

from typing import Any

from services.hazards.domain.machine.table import ALWAYS_ACCEPTED, TABLE
from services.hazards.domain.machine.words import ENDS, THIRD_RETURN, TITLES, Condition, Rule


def table_json() -> dict[str, Any]:
    """The table for GET /v1/states: states with titles, moves with from, to, roles, fields and event type."""
    return {
        "states": [
            {"state": state.value, "title": {"en": en, "zh": zh}, "open": state not in ENDS}
            for state, (en, zh) in TITLES.items()
        ],
        "moves": [_rule_json(rule) for rule in TABLE.values()],
        "notes": {
            "dispatch, reassign": f"After {THIRD_RETURN} returns, or handed up to the county, only a county_operator; "
            "handed down to the village, community_staff too.",
            "hand_down": "From the county only by a county_operator.",
            "relocate, recategorise": "A dispatched, accepted or handling case whose responsible agency changes "
            "goes to dispatched with the new one, or to registered when there is none.",
            "unmerge": "A case that was only reported or verified when it was merged is that again.",
        },
    }


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "move": rule.move.value,
        "title": {"en": rule.en, "zh": rule.zh},
        "from": [state.value for state in rule.targets],
        "to": {source.value: target.value for source, target in rule.targets.items()},
        "or_to": sorted(state.value for state in rule.others),
        "who": rule.who.value,
        "roles": sorted(rule.roles),
        "needs": list(rule.needs),
        "accepts": [*rule.accepts, *(field for field in ALWAYS_ACCEPTED if field not in rule.needs)],
        "when": [condition_json(each) for each in rule.when],
        "event": rule.event.type,
    }


def condition_json(condition: Condition) -> dict[str, Any]:
    """A condition's code and what it says."""
    return {"condition": condition.name, "title": {"en": condition.en, "zh": condition.zh}}


def page() -> str:
    """The drawing and the table of moves in Markdown, for docs/cases.md."""
    lines = ["```mermaid", drawing().rstrip("\n"), "```", "", *_STATES_HEAD]
    lines += [
        f"| `{state.value}` | {en} | {zh} | {'rests' if state in ENDS else 'open'} |"
        for state, (en, zh) in TITLES.items()
    ]
    lines += ["", *_MOVES_HEAD, *(_row(rule) for rule in TABLE.values()), ""]
    conditions = {each.name: each for rule in TABLE.values() for each in rule.when}
    lines += _CONDITIONS_HEAD
    lines += [f"| `{each.name}` | {each.en} | {each.zh} |" for _, each in sorted(conditions.items())]
    return "\n".join(lines) + "\n"


_STATES_HEAD = ["| state | | 中文 | |", "|---|---|---|---|"]
_MOVES_HEAD = [
    "| move | 中文 | from → to | whose | roles | needs | may take | only while | event |",
    "|---|---|---|---|---|---|---|---|---|",
]
_CONDITIONS_HEAD = ["| only while | | 中文 |", "|---|---|---|"]


def _row(rule: Rule) -> str:
    ways: dict[str, list[str]] = {}
    for source, target in rule.targets.items():
        ways.setdefault("stays" if source is target else target.value, []).append(source.value)
    way = "; ".join(f"{', '.join(sources)} → {target}" for target, sources in ways.items())
    if rule.others:
        way += f" (or {', '.join(sorted(state.value for state in rule.others))})"
    cells = (
        f"`{rule.move.value}`",
        rule.zh,
        way,
        rule.who.value.replace("_", " "),
        ", ".join(sorted(rule.roles)),
        ", ".join(rule.needs),
        ", ".join(rule.accepts),
        ", ".join(each.name for each in rule.when),
        f"`{rule.event.routing_key().removeprefix('hazards.case.')}`",
    )
    return f"| {' | '.join(cells)} |"


def drawing() -> str:
    """The moves that change the state, as a Mermaid state diagram; voiding, from every open state, is left out."""
    lines = ["stateDiagram-v2", "    [*] --> reported"]
    for rule in TABLE.values():
        for source, target in rule.targets.items():
            if source is not target and rule.move != "void":
                lines.append(f"    {source.value} --> {target.value}: {rule.move.value}")
    lines += [f"    {state.value} --> [*]" for state in TITLES if state in ENDS]
    return "\n".join(lines) + "\n"
