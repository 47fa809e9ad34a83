"""The example scripts run as they are, stay short, and import from the public doors only."""

import ast
import contextlib
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bttt.__main__ import main

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
PACKAGES = ("agents", "bttt", "pruning", "tournaments")
PARTS = {"digits", "learned_agent"}
"""Scripts that others import."""
CLIENTS = {
    "cleanrl_ppo": ("2048", "torch"),
    "maskable_ppo": ("512", "sb3_contrib"),
    "tianshou_pettingzoo": ("320", "tianshou"),
    "torchrl_ppo": ("2048", "torchrl"),
}
"""The scripts that train a learner: a tiny budget, and the package that they need."""
ERROR_RATES = r"(?s:.*)error rate, %(?s:.*)python:\w+:\w+,file=\S+ +\d+\.\d\d \("
SAYS = {
    "centre_agent": r"Centre won (?!0 )\d+ of 49 games",
    "cleanrl_ppo": r"the last 2048 steps: \d+ games won of \d+" + ERROR_RATES,
    "error_rate": r"alphazero:d4,simulations=0: seen \d+\.\d%, novel \d+\.\d%",
    "gymnasium_loop": r"novel placements against random: \d+% won",
    "hypergradient": r"hypergradient (-?\d+\.\d{4})\d*, difference quotient \1",
    "maskable_ppo": r"the last \d+ games: \d+ won" + ERROR_RATES,
    "new_criterion": r"peak: \d+\.\d% dense, \d+\.\d% pruned\ndropnet: (?s:.*)\nrandom: ",
    "pettingzoo_game": r"rewards: {'player_0': 1, 'player_1': -1}",
    "prune_in_cycles": r"level 3: 37\.5% kept, (?s:.*)4 levels (?s:.*) 2,909 parameters, same outputs: True",
    "remove_channels": r"dense: .* 6,186 parameters.*\npruned: .* 1,946 parameters",
    "small_tournament": r"12 games; .*\nstrongest: (?!random)",
    "solve_position": r"won for O in 7 plies, (?s:.*)best play: C2( [A-G][1-7]){6}\n",
    "sparse_training": r"static: .* 5\.0% of the weights\nrigl: .* 5\.0% of the weights",
    "tianshou_pettingzoo": ERROR_RATES,
    "torchrl_ppo": r"the last 2048 steps: \d+ games won of \d+" + ERROR_RATES,
    "vector_loop": r"\d+ games ended: \d+ won, \d+ lost, \d+ drawn",
}
"""What each script prints, as a pattern."""


@pytest.fixture
def default_dtype():
    """Gives torch's default type back: a script may change it for its process."""
    before = torch.get_default_dtype()
    yield
    torch.set_default_dtype(before)


RUN = subprocess.run


def run_in_this_process(command, **options):
    """Stands in for subprocess.run: starting `bttt` takes longer than its work here."""
    if command[:3] != [sys.executable, "-m", "bttt"]:
        return RUN(command, **options)
    with contextlib.chdir(options["cwd"]):
        assert main(command[3:]) == 0


@pytest.mark.parametrize(
    "script", [each for each in SCRIPTS if each.stem not in PARTS], ids=lambda script: script.stem
)
def test_an_example_runs(script, capsys, monkeypatch, tmp_path, default_dtype):
    budget, client = CLIENTS.get(script.stem, (None, "bttt"))
    pytest.importorskip(client)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(script.parent)
    monkeypatch.setattr(sys, "argv", [str(script), *filter(None, [budget])])
    monkeypatch.setattr(subprocess, "run", run_in_this_process)
    runpy.run_path(str(script), run_name="__main__")
    assert re.search(SAYS[script.stem], capsys.readouterr().out)


def test_examples_are_listed_and_short():
    listed = re.findall(r"^\| `(\w+)\.py` \|", (ROOT / "examples/README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [script.stem for script in SCRIPTS]
    assert [script.name for script in SCRIPTS if len(script.read_text().splitlines()) >= 60] == []


def imported(node):
    """Returns the modules that a node of a syntax tree imports."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [each.name for each in node.names] if isinstance(node, ast.Import) else []


def test_examples_and_pages_import_from_doors():
    """A door is a package: `from bttt.envs import env`, never a module inside it."""
    sources = {script.name: script.read_text() for script in SCRIPTS}
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        sources[page.name] = "\n".join(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S))
    modules = {
        (name, module)
        for name, source in sources.items()
        for node in ast.walk(ast.parse(source))
        for module in imported(node)
        if module.split(".")[0] in PACKAGES
    }
    assert len(sources) > 20
    is_door = {pair: (ROOT / pair[1].replace(".", "/") / "__init__.py").is_file() for pair in modules}
    assert [pair for pair, door in is_door.items() if not door] == []


def test_the_centre_agent_is_found_by_name(monkeypatch):
    from agents import make_agent
    from bttt import Board, Position

    monkeypatch.chdir(ROOT)
    agent = make_agent("python:examples.centre_agent:Centre")
    (decision,) = agent.decide([Position.start(Board(bricks="A1"))], None)
    assert decision.cell == 24
