"""The real commands with a plug-in of each kind, from a module in the current folder."""

import shutil
from pathlib import Path

import pytest
import user_plugins

from bttt.__main__ import main

TINY_TRAINING = (
    *("train", "--iterations", "1", "--plies", "9", "--selfplay.games", "4", "--search.simulations", "2"),
    *("--learner.batch", "8", "--bricks", "D4", "--out", "mine"),
)


@pytest.fixture(autouse=True)
def in_a_folder_with_the_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(user_plugins.__file__, "mine_only.py")


def test_a_network_and_an_encoding_are_trained_and_played_when_they_are_named_again(capsys):
    network, encoding = "python:mine_only:Net", "python:mine_only:border"
    assert main([*TINY_TRAINING, "--network", f"{network},width=4", "--encoding", encoding]) == 0
    assert Path("mine/network.safetensors").is_file()
    agent = f"alphazero:mine,simulations=2,architecture={network},encoding={encoding}"
    game = ("tournament", "--players", "random", "--bricks", "python:mine_only:corners", "--out", "games")
    assert main([*game[:3], agent, *game[3:]]) == 0
    assert "8 of 8 games, 0 forfeits" in capsys.readouterr().out
    assert main([*game[:3], "alphazero:mine,simulations=2", *game[3:5], "other", "--out", "other"]) == 2
    assert "name its class again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--network", "python:mine_only:Nett"), "did you mean 'Net'?"),
        (("--network", "smal"), "did you mean 'small'?"),
        (("--network", "python:mine_only:WrongShape"), "must return logits (2, 49) and values (2,)"),
        (("--encoding", "python:mine_only:flat"), "encoding 'python:mine_only:flat' fails"),
        (("--bricks", "python:mine_only:cornrs"), "did you mean 'corners'?"),
    ],
)
def test_a_plug_in_that_does_not_fit_is_one_line_before_anything_is_written(options, part, capsys):
    assert main([*TINY_TRAINING, *options]) == 2
    error = capsys.readouterr().err
    assert part in error and error.count("\n") == 1
    assert not Path("mine").exists()
