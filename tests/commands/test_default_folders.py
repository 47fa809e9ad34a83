"""The default folder of every command's run: names made by the code of commit 87828a4.

A command that cannot make its folder names it. Here `runs` is a file, so each command stops at that point,
before it works.
"""

import re
from pathlib import Path

import pytest
from commands import refused_at_work

from agents.alphazero.weights import RUN_FILE

FOLDERS = [
    ("train", "train-4480e137"),
    ("train --minutes 3 --device cpu --tensorboard", "train-4480e137"),
    (
        "train --bricks D4 E5 --preset paper --encoding bricks --seed 3 --workers 2 --plies 4 "
        "--buffer 100 --evaluate-every 2 --search.simulations 9 --selfplay.games 8 --learner.lr 0.1 "
        "--iterations 3",
        "train-5dd99ce4",
    ),
    ("tournament", "tournament-b61dbf4f"),
    (
        "tournament --players random minimax:depth=1 --bricks orbit:0 --workers 1 --csv --in-flight "
        "3 --anchor random --strict",
        "tournament-6c6759ed",
    ),
    (
        "tournament --players random mcts:iterations=5 minimax:depth=1 --board 4x4x3 --bricks none "
        "--schedule gauntlet --repeats 2 --seed 5 --openings balanced --adjudicate 4 "
        "--seconds-per-move 2.5",
        "tournament-a7e87377",
    ),
    (
        "tournament --players random alphazero:d4,simulations=2 python:own:Mine --bricks D4 "
        "--opening-plies 2",
        "tournament-5e459af1",
    ),
    ("conversion perfect random --board 4x4x3", "conversion-ad5994fa"),
    (
        "conversion random --board 4x4x3 --bricks A1 --games 2 --seed 3 --workers 1 --in-flight 4",
        "conversion-514871e0",
    ),
    ("conversion random --suite bricks2 --positions 1", "conversion-cd9edd4c"),
    ("evaluate random", "evaluate-0896927f"),
    (
        "evaluate random minimax:depth=1 --suite bricks4 --positions 2 --repeats 2 --seed 1 --batch "
        "3 --workers 1",
        "evaluate-b7ad4516",
    ),
    ("evaluate random --bricks R2 --train D4", "evaluate-f320faff"),
    ("prune alphazero:d4", "prune-3b678a7e"),
    (
        "prune alphazero:d4 --method rigl:every=100 --cycles 3 --simulations 4 --kappa 0.5 "
        "--until-density 0.1 --buffer b.npz --steps 2 --seed 4",
        "prune-425d6aff",
    ),
    (
        "prune alphazero:r3 --scope layer --restart rewind --rewind-to 0.5 --schedule "
        "warmup-step:lr=0.003 --exclude stem --floor 2 --fraction 0.5 --in-loop --iterations 2 "
        "--learner.batch 32 --selfplay.games 16 --search.simulations 2",
        "prune-1369ff7e",
    ),
    ("levels pruned", "levels-761527a3"),
    (
        "levels pruned --levels 0 5 --simulations 7 --bricks D4 --repeats 1 --seed 2 --in-flight 9 "
        "--workers 2",
        "levels-0e8d31a0",
    ),
    ("bricks", "bricks-a37d9b31"),
    (
        "bricks alphazero:d4 --candidates A1 A4 C3 C4 --positions 40 --fitted 30 --held 5 --suite 1 "
        "--seeds 2 --splits 1 --steps 2 --outer 2 --outer-lr 0.1 --l2 0.1 --workers 2 "
        "--learner.batch 16 --selfplay.games 32 --search.simulations 2",
        "bricks-eeb0f981",
    ),
    ("vision dropnet/a-mnist --data-set digits", "vision-dropnet-a-mnist-b56b130e"),
    (
        "vision dropnet/a-mnist --data-set digits --small --subset 90 --width 0.1 --seeds 1 --cycles "
        "1 --epochs 1 --arms minimum --batch 16 --precision bfloat16 --workers 2",
        "vision-dropnet-a-mnist-ef5e43e3",
    ),
    ("vision silo/resnet20-cifar10 --small --data-set digits", "vision-silo-resnet20-cifar10-92a00e0a"),
    (
        "vision bilevel/l2-mnist --data-set digits --small --subset 60 --epochs 4 --seeds 1 --arms none itd",
        "vision-bilevel-l2-mnist-d4a43ae6",
    ),
    ("vision bilevel/cleaning-mnist --data-set digits --small", "vision-bilevel-cleaning-mnist-ec2d2f27"),
]
OWN = """\
class Mine:
    trained_on = ('7x7x4:D4',)
    def decide(self, positions, rng):
        raise RuntimeError
"""


@pytest.mark.parametrize(("command", "folder"), FOLDERS)
def test_a_run_is_found_again_in_the_folder_that_it_always_had(
    command, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("BTTT_DATA", raising=False)
    Path("runs").touch()
    Path("own.py").write_text(OWN)
    for level in (0, 2, 5):
        network = Path("pruned", f"level-{level:02}", RUN_FILE)
        network.parent.mkdir(parents=True)
        network.touch()
    assert re.findall(r"runs/[-\w]+", refused_at_work(*command.split(), capsys=capsys)) == [f"runs/{folder}"]
