"""Follow codes: whoever mistypes one is told so, and is never shown another's report."""

from hypothesis import given
from hypothesis import strategies as st

from services.hazards.domain.follow_codes import ALPHABET, LENGTH, new_code, normalised, with_check
from services.hazards.domain.stages import STAGE_OF, STAGES

CODES = st.text(alphabet=ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1).map(with_check)
PLACES = st.integers(0, LENGTH - 1)


def test_codes_are_long_readable_and_never_twice() -> None:
    assert not set("01OIL") & set(ALPHABET)
    assert len(ALPHABET) == len(set(ALPHABET)) == 31
    made = {new_code() for _ in range(5000)}
    assert len(made) == 5000
    assert all(normalised(code) == code for code in made)


@given(CODES, PLACES, st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_found(code: str, place: int, wrong: str) -> None:
    typed = code[:place] + wrong + code[place + 1 :]
    assert normalised(typed) == (code if typed == code else None)


@given(CODES, PLACES, PLACES)
def test_two_characters_that_changed_places_are_always_found(code: str, one: int, other: int) -> None:
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    typed = "".join(swapped)
    assert normalised(typed) == (code if typed == code else None)


@given(CODES, st.sampled_from(["-", " ", "\u3000"]))
def test_case_width_spaces_and_hyphens_do_not_matter(code: str, between: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code.lower())
    assert normalised(f" {between.join([wide[:4], wide[4:8], wide[8:]])} ") == code


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_code_or_is_not(text: str) -> None:
    found = normalised(text)
    assert found is None or normalised(found) == found


def test_what_is_no_code_is_none() -> None:
    code = with_check("23456789ABC")
    for text in ("", code[:-1], code + "2", code.replace("2", "1"), "x" * 10_000, "０" * 12, "İ" * 12):
        assert normalised(text) is None


def test_every_state_has_a_stage_with_words() -> None:
    from contracts.hazards.states import State

    assert set(STAGE_OF) == {state.value for state in State}
    assert set(STAGE_OF.values()) == set(STAGES)
