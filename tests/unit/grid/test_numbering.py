"""Numbers of grids: as a page is read, never twice, never the thousandth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grid.domain.numbering import Template, reading_order

VILLAGE = "330411101201"
OBJECT = Template("060101")


def test_a_grid_is_numbered_along_rows_from_the_north_each_from_the_west() -> None:
    # 2 1 / 3 0 in a square: north-west first, south-east last.
    boxes = [(1.0, 0.0, 2.0, 1.0), (1.0, 1.0, 2.0, 2.0), (0.0, 1.0, 1.0, 2.0), (0.0, 0.0, 1.0, 1.0)]
    assert reading_order(boxes) == [2, 1, 3, 0]


def test_neighbours_of_a_row_need_not_be_quite_as_high_as_one_another() -> None:
    boxes = [(float(x), 0.1 * (x % 3), x + 1.0, 1.0 + 0.1 * (x % 3)) for x in (3, 1, 2, 0)]
    assert reading_order(boxes) == [3, 1, 2, 0]


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), max_size=30))
def test_every_shape_has_one_place_in_the_order(corners: list[tuple[float, float]]) -> None:
    order = reading_order([(x, y, x + 1, y + 1) for x, y in corners])
    assert sorted(order) == list(range(len(corners)))


@pytest.mark.parametrize(("template", "code"), [(Template(), f"{VILLAGE}007"), (OBJECT, f"060101{VILLAGE}07")])
def test_a_template_makes_and_reads_its_codes(template: Template, code: str) -> None:
    assert template.code(VILLAGE, 7) == code
    assert template.number(code, VILLAGE) == 7
    assert template.number(code, "330411101202") is None
    assert Template.like(code) == template
    assert template.last_given([code, "330411", f"{VILLAGE}0009"], VILLAGE) == 7
    with pytest.raises(ValueError, match="^" + str(template.most + 1)):
        template.code(VILLAGE, template.most + 1)


@pytest.mark.parametrize("text", ["", "12", "20", "20:6", "20:1234567", "15:060101"])
def test_a_template_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        Template.of(text)
