"""Golden games: the same seed gives the same games, in every version that does not say otherwise.

A change of rules, of random numbers or of an agent's play shows here. Where it is meant, look at it
and make the new games the golden ones:

    BTTT_REGENERATE_GOLDEN=1 python -m pytest tests/tournaments/play/test_golden_games.py
"""

import os
from pathlib import Path

from agents import make_agent
from bttt import brick_sets
from bttt.position import OUTCOME_TEXT
from tournaments.play.conditions import Conditions
from tournaments.play.runner import play_games
from tournaments.play.schedule import schedule_games

GOLDEN = Path(__file__).parents[2] / "golden" / "games.txt"
# Without exploration no logarithm decides a move, whose last bit might differ between machines.
PLAYERS = ("random", "minimax:depth=2", "mcts:iterations=100,c=0")


def test_golden_games():
    schedule = schedule_games("round-robin", PLAYERS, brick_sets(["D4", "E5", "A1+G7"]), 1)
    agents = {name: make_agent(name) for name in PLAYERS}
    records = play_games(schedule, agents, Conditions(seed=1, opening_plies=2))
    text = "".join(sorted(map(line, records), key=lambda each: int(each.partition(" ")[0])))
    if os.environ.get("BTTT_REGENERATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8", newline="")
    assert text == GOLDEN.read_text(encoding="utf-8")


def line(record):
    cells = " ".join(map(record.board.cell_name, record.cells))
    outcome = OUTCOME_TEXT[record.outcome]
    return f"{record.index} {record.board} {record.first} - {record.second}: {cells} ({outcome})\n"
