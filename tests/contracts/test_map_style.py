"""MapLibre's own validator reads our style without a word of complaint; layers, fields and TileJSON agree with it."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import pytest

from gateway import map_style
from gateway.layers import LAYERS
from infra.local import npm

BOX = (120.0, 30.0, 121.0, 31.0)
ORIGIN = "https://grid.example"
pytestmark = pytest.mark.timeout(180)


def complaints(style: dict[str, Any]) -> list[str]:
    if not (npm.CONSOLE / "node_modules" / "@maplibre" / "maplibre-gl-style-spec").is_dir():
        npm.ensure_node_modules(npm.CONSOLE)
    ended = subprocess.run(
        [str(npm.NODE / "bin" / "node"), str(pathlib.Path(__file__).parent / "map_style.mjs")],
        input=json.dumps(style), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: list[str] = json.loads(ended.stdout)
    return found


def test_the_style_is_valid_and_the_validator_would_complain() -> None:
    style = map_style.style(ORIGIN, BOX)
    assert complaints(style) == []
    assert complaints(map_style.style(ORIGIN, None)) == []
    style["layers"][1]["paint"]["fill-colour"] = "red"
    assert complaints(style)


def test_the_style_draws_every_layer_and_only_what_its_tiles_hold() -> None:
    style = map_style.style(ORIGIN, BOX)
    drawn = {layer["source"] for layer in style["layers"] if "source" in layer}
    assert drawn == set(style["sources"]) == set(LAYERS)
    for layer in style["layers"]:
        if "source" in layer:
            fields = LAYERS[layer["source"]].inside[layer["source-layer"]]
            assert set(_named(layer)) <= set(fields), layer["id"]


def _named(expression: Any) -> list[str]:
    """Every property that an expression gets."""
    match expression:
        case ["get", str() as name]:
            return [name]
        case list():
            return [name for part in expression for name in _named(part)]
        case dict():
            return [name for part in expression.values() for name in _named(part)]
    return []


def test_each_risk_has_its_colour() -> None:
    places = next(each for each in map_style.style(ORIGIN, BOX)["layers"] if each["id"] == "places")
    _, _, *pairs, other = places["paint"]["circle-color"]
    colours = {word: colour for words, colour in zip(pairs[::2], pairs[1::2], strict=True) for word in words}
    assert [colours[risk] for risk in ("red", "orange", "yellow", "blue")] == list(map_style.RISKS.values())
    assert other not in colours.values()


@pytest.mark.parametrize("name", LAYERS)
def test_tilejson_says_where_the_tiles_are_and_what_they_hold(name: str) -> None:
    found = map_style.tilejson(LAYERS[name], ORIGIN, BOX)
    assert found["tilejson"] == "3.0.0"
    assert found["tiles"] == [f"{ORIGIN}/v1/tiles/{name}/{{z}}/{{x}}/{{y}}.mvt"]
    assert found["bounds"] == list(BOX)
    assert 0 <= found["minzoom"] <= found["center"][2] <= found["maxzoom"] <= 30
    assert {each["id"] for each in found["vector_layers"]} == set(LAYERS[name].inside)
    assert all(each["fields"] for each in found["vector_layers"])
