import pytest
from swarm.profiles import DEFAULT_SECONDS, profile


def users_at(shape: str, *times: float, users: int = 50, seconds: float = 100) -> list[int | None]:
    chosen = profile(shape, users, seconds)
    return [stage[0] if (stage := chosen.at(time)) else None for time in times]


def test_a_burst_comes_twice_out_of_a_calm():
    assert users_at("burst", 0, 19, 20, 39, 40, 60, 79, 80, 99) == [5, 5, 50, 50, 5, 50, 50, 5, 5]


def test_a_burst_comes_all_at_once():
    assert profile("burst", 50, 100).at(20) == (50, 50)


def test_a_ramp_climbs_by_tenths():
    assert users_at("ramp", *range(0, 100, 10)) == [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]


def test_a_ramp_of_few_users_ends_with_all_of_them():
    assert users_at("ramp", 0, 99, users=3) == [1, 3]


def test_a_soak_spreads_its_start_over_a_tenth_of_the_time():
    users, spawn_rate = profile("soak", 60, 600).at(0)
    assert users / spawn_rate == 60


@pytest.mark.parametrize("shape", DEFAULT_SECONDS)
def test_every_shape_ends_and_never_has_more_users_than_wanted(shape):
    chosen = profile(shape, 7, 30)
    seen = [chosen.at(time / 4) for time in range(120)]
    assert max(stage[0] for stage in seen) == 7
    assert all(stage[0] > 0 and stage[1] > 0 for stage in seen)
    assert chosen.at(30) is None


def test_an_unknown_shape_names_those_that_exist():
    with pytest.raises(ValueError, match="burst, sustained, ramp, soak"):
        profile("storm", 1, 1)
