"""How a map of the layers looks: TileJSON 3.0.0 for each, and one MapLibre style (specification 8) over all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.layers import LAYERS, Layer
from gateway.tiles import DEEPEST

WHOLE_WORLD = (-180.0, -85.05113, 180.0, 85.05113)
TEXT, PAPER, LAND, NIGHT = "#33475a", "#e9e5da", "#f7f4ed", "#17344f"
RISKS = {"red": "#c62f2f", "orange": "#e07b1a", "yellow": "#d9b310", "blue": "#2b6cb0"}
"""红橙黄蓝. A cell whose places differ in risk has none of the four."""
DEVICES = {"#6a4fa3": ("camera",), "#b23a6f": ("fire_device",), "#3d6b99": ("alarm_button",)}
STATES = {"#c8553d": ("reported", "verified"), "#d08b2e": ("registered", "dispatched"),
          "#2f7f86": ("accepted", "handling"), "#5b7f4b": ("handled", "checked")}  # fmt: skip
Box = tuple[float, float, float, float]


def tilejson(layer: Layer, origin: str, box: Box | None) -> dict[str, Any]:
    """The layer's TileJSON; `box` is the county's west, south, east, north, None before its first boundary."""
    west, south, east, north = box or WHOLE_WORLD
    return {
        "tilejson": "3.0.0",
        "name": layer.name,
        "description": layer.description,
        "scheme": "xyz",
        "tiles": [f"{origin}/v1/tiles/{layer.name}/{{z}}/{{x}}/{{y}}.mvt"],
        "minzoom": layer.minzoom,
        "maxzoom": min(layer.maxzoom, DEEPEST),
        "bounds": [west, south, east, north],
        "center": [(west + east) / 2, (south + north) / 2, 10 if box else 2],
        "vector_layers": [{"id": name, "fields": dict(fields)} for name, fields in layer.inside.items()],
    }


def style(origin: str, box: Box | None) -> dict[str, Any]:
    """A style that needs nothing but the tiles: text is drawn with the viewer's own fonts."""
    west, south, east, north = box or WHOLE_WORLD
    return {
        "version": 8,
        "name": "平安网格",
        "center": [(west + east) / 2, (south + north) / 2],
        "zoom": 10 if box else 2,
        "sources": {name: {"type": "vector", "url": f"{origin}/v1/tiles/{name}.json"} for name in LAYERS},
        "layers": [
            {"id": "paper", "type": "background", "paint": {"background-color": PAPER}},
            *_areas(),
            *_points("devices", _by_word("kind", DEVICES), None),
            *_points("places", _by_word("risk", {colour: (risk,) for risk, colour in RISKS.items()}), "name"),
            *_points("cases", _by_word("state", STATES), None),
        ],
    }


def _areas() -> list[dict[str, Any]]:
    source = {"source": "areas", "source-layer": "areas"}

    def border(level: str, colour: str, width: Any, minzoom: int = 0) -> dict[str, Any]:
        paint = {"line-color": colour, "line-width": width}
        return {"id": f"area {level}", "type": "line", **source, "minzoom": minzoom, "filter": _is("level", level),
                "paint": paint}  # fmt: skip

    def names(level: str, size: int, minzoom: int, maxzoom: int) -> dict[str, Any]:
        return {
            "id": f"name {level}",
            "type": "symbol",
            "source": "areas",
            "source-layer": "labels",
            "minzoom": minzoom,
            "maxzoom": maxzoom,
            "filter": _is("level", level),
            "layout": _text(["get", "name"], size) | {"text-padding": 6},
            "paint": _halo(TEXT),
        }

    special = ["all", _is("level", "grid"), ["!=", ["get", "kind"], "ordinary"]]
    return [
        {"id": "land", "type": "fill", **source, "filter": _is("level", "county"), "paint": {"fill-color": LAND}},
        {"id": "special grids", "type": "fill", **source, "minzoom": 12, "filter": special,
         "paint": {"fill-color": "#dfe6e4", "fill-opacity": 0.7}},
        border("grid", "#b9b4a6", _by_zoom((12, 0.4), (15, 1)), 12),
        border("village", "#a39d8d", _by_zoom((10, 0.5), (14, 1.3)), 10),
        border("town", "#6f7d88", _by_zoom((8, 0.8), (13, 1.8))),
        border("county", NIGHT, 2.2),
        names("grid", 11, 14, 24),
        names("village", 12, 11, 24),
        names("town", 14, 7, 13),
    ]  # fmt: skip


def _points(layer: str, colour: Any, named: str | None) -> list[dict[str, Any]]:
    """A point that stands for several is larger and bears their number."""
    source = {"source": layer, "source-layer": layer}
    several, alone = [">", ["get", "count"], 1], ["==", ["get", "count"], 1]
    many: dict[str, Any] = {"circle-color": colour, "circle-opacity": 0.9, "circle-stroke-color": "#ffffff",
            "circle-stroke-width": 1.5, "circle-radius": ["step", ["get", "count"], 8, 10, 11, 100, 14]}  # fmt: skip
    one = {"circle-color": colour, "circle-radius": _by_zoom((9, 4), (15, 7)), "circle-stroke-color": "#ffffff",
           "circle-stroke-width": 1.4}  # fmt: skip
    drawn: list[dict[str, Any]] = [
        {"id": f"{layer} counted", "type": "circle", **source, "filter": several, "paint": many},
        {"id": f"{layer} counts", "type": "symbol", **source, "filter": several,
         "layout": _text(["to-string", ["get", "count"]], 11) | {"text-allow-overlap": True},
         "paint": {"text-color": "#ffffff"}},
        {"id": layer, "type": "circle", **source, "filter": alone, "paint": one},
    ]  # fmt: skip
    if named:
        layout = _text(["get", named], 11) | {"text-offset": [0, 1.2], "text-optional": True}
        drawn.append({"id": f"{layer} names", "type": "symbol", **source, "minzoom": 14, "filter": alone,
                      "layout": layout, "paint": _halo(TEXT)})  # fmt: skip
    return drawn


def _is(name: str, value: str) -> list[Any]:
    return ["==", ["get", name], value]


def _by_word(name: str, colours: Mapping[str, Sequence[str]]) -> list[Any]:
    """Colour by a property's value; grey for what has none of them."""
    pairs = [part for colour, words in colours.items() for part in (list(words), colour)]
    return ["match", ["coalesce", ["get", name], ""], *pairs, "#6b7280"]


def _by_zoom(*stops: tuple[float, float]) -> list[Any]:
    return ["interpolate", ["linear"], ["zoom"], *(part for stop in stops for part in stop)]


def _text(field: Any, size: int) -> dict[str, Any]:
    return {"text-field": field, "text-size": size, "text-font": ["sans-serif"]}


def _halo(colour: str) -> dict[str, Any]:
    return {"text-color": colour, "text-halo-color": "#f5f2ea", "text-halo-width": 1.6}
