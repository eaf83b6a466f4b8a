"""The table of rates: each is in force from its first day to its last, in Beijing."""

import datetime

import pytest

from hutong.errors import RateInvalid
from hutong.invoices.rates import RateTable, beijing_day, chinese_rates


def day(text: str) -> int:
    noon = datetime.datetime.fromisoformat(f"{text}T12:00:00+08:00")
    return beijing_day(int(noon.timestamp()))


@pytest.mark.parametrize(
    ("date", "standard", "reduced"),
    [
        ("2017-06-30", 1700, 1300),
        ("2018-04-30", 1700, 1100),
        ("2018-05-01", 1600, 1000),
        ("2019-03-31", 1600, 1000),
        ("2019-04-01", 1300, 900),
        ("2026-11-24", 1300, 900),
    ],
)
def test_standard_and_reduced_rate_follow_the_reforms(
    date: str, standard: int, reduced: int
) -> None:
    in_force = chinese_rates().on(day(date))
    assert in_force[0] == standard
    assert reduced in in_force


@pytest.mark.parametrize(
    ("date", "known"),
    [("2020-02-29", False), ("2020-03-01", True), ("2027-12-31", True), ("2028-01-01", False)],
)
def test_one_percent_is_a_levy_for_some_years(date: str, known: bool) -> None:
    assert chinese_rates().in_force(100, day(date)) is known


def test_a_day_begins_at_midnight_in_beijing() -> None:
    midnight = int(datetime.datetime.fromisoformat("2019-04-01T00:00:00+08:00").timestamp())
    rates = chinese_rates()
    assert not rates.in_force(900, beijing_day(midnight - 1))
    assert rates.in_force(900, beijing_day(midnight))


def test_a_rate_that_is_not_in_force_is_named_with_those_that_are() -> None:
    with pytest.raises(RateInvalid, match=r"17% is no rate .* 2026-11-24") as caught:
        chinese_rates().check(1700, day("2026-11-24"), "lines[0].rate")
    assert caught.value.field == "lines[0].rate"
    assert caught.value.values["rates"] == [1300, 900, 600, 500, 300, 150, 100, 50]


def test_a_document_that_is_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="rates"):
        RateTable.read({"rates": "13%"})
