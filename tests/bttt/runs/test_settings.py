"""Options: which are settings, which a study sets, and how a configuration is composed of parts."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import pytest
import tyro

from bttt.runs import (
    from_options,
    option,
    options_of,
    part,
    refuse_set_by_study,
    settings_of,
    with_options,
)


@dataclass(frozen=True)
class Search:
    """How a move is searched."""

    simulations: int = 8
    """Simulations per decision."""


@dataclass(frozen=True)
class Rules:
    """How a game is played."""

    seed: int = 0
    """Seed of the games."""
    adjudicate: int | None = option(None, later=True)
    """Plies of a proof."""


@dataclass(frozen=True)
class Config:
    """Plays games."""

    players: tuple[str, ...] = option(("random",), by_study=True)
    """Names of the players."""
    rules: Annotated[Rules, tyro.conf.arg(name="")] = part(Rules)
    out: Path | None = option(None, setting=False, by_study=True)
    """Run folder."""
    workers: int = option(1, setting=False)
    """Processes."""
    search: Search = field(default_factory=Search)


CHANGED = Config(rules=Rules(seed=3, adjudicate=4), out=Path("runs/a"), workers=2, search=Search(9))


def test_options_are_all_fields_in_order_with_those_of_a_part_in_its_place():
    assert list(options_of(Config()).items()) == [
        ("players", ["random"]),
        ("seed", 0),
        ("adjudicate", None),
        ("out", None),
        ("workers", 1),
        ("search", {"simulations": 8}),
    ]
    assert options_of(CHANGED)["out"] == "runs/a"


def test_settings_are_what_results_depend_on_and_later_ones_only_where_they_are_changed():
    assert settings_of(Config()) == {"players": ["random"], "seed": 0, "search": {"simulations": 8}}
    assert list(settings_of(CHANGED).items()) == [
        ("players", ["random"]),
        ("seed", 3),
        ("search", {"simulations": 9}),
        ("adjudicate", 4),
    ]


def test_an_option_that_a_study_sets_is_refused_and_the_others_are_free():
    refuse_set_by_study(CHANGED, Config(out=Path("runs/a")), of="games")
    with pytest.raises(ValueError) as refused:
        refuse_set_by_study(CHANGED, Config(), of="games")
    assert str(refused.value) == "games.out is set by the study: leave it out, got 'runs/a'"
    with pytest.raises(ValueError, match=r"players is set by the study: leave it out, got \['perfect'\]"):
        refuse_set_by_study(Config(players=("perfect",)), Config(), of="games")


def test_the_command_line_has_every_option_with_its_help(capsys):
    words = "--players a b --seed 3 --adjudicate 4 --out runs/a --workers 2 --search.simulations 9"
    parsed = tyro.cli(Config, args=words.split())
    assert parsed == Config(("a", "b"), Rules(3, 4), Path("runs/a"), 2, Search(9))
    with pytest.raises(SystemExit):
        tyro.cli(Config, args=["--help"])
    text = capsys.readouterr().out
    for told in ("Names of the players", "Seed of the games", "Plies of a proof", "Run folder", "Processes"):
        assert told in text


def test_options_of_parts_are_given_and_changed_by_their_own_names():
    made = from_options(Config, seed=3, adjudicate=4, out=Path("runs/a"), workers=2, search=Search(9))
    assert made == CHANGED == with_options(Config(), **vars(CHANGED))
    assert from_options(Config, rules=Rules(seed=3), adjudicate=4).rules == Rules(3, 4)
    assert with_options(CHANGED, seed=5) == replace(CHANGED, rules=Rules(5, 4))
    assert from_options(Config) == Config() and with_options(CHANGED) == CHANGED
    for wrong in (from_options, with_options):
        with pytest.raises(TypeError, match="there is no option 'plies'"):
            wrong(Config(), plies=1) if wrong is with_options else wrong(Config, plies=1)
