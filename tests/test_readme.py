"""The README's tables are those of the committed results."""

import csv
import json
from pathlib import Path

from benchmarks.__main__ import figure
from bttt import Board
from bttt.position import OUTCOME_TEXT, Outcome
from tournaments.crosstable import crosstable_text, ratings_table
from tournaments.game_record import GameRecord
from tournaments.ratings import fit_ratings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OUTCOMES = {text: outcome for outcome, text in OUTCOME_TEXT.items() if outcome != Outcome.UNFINISHED}


def stored_games():
    with (ROOT / "results/default-tournament/games.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            board = Board.parse(row["board"])
            cells = tuple(map(board.cell, row["moves"].split()))
            yield GameRecord(
                index=int(row["game"]),
                first=row["first"],
                second=row["second"],
                board=board,
                repeat=int(row["repeat"]),
                opening_plies=int(row["opening_plies"]),
                cells=cells,
                outcome=OUTCOMES[row["outcome"]],
                forfeit=row["forfeit"] or None,
                seconds=(0.0,) * len(cells),
                values=(None,) * len(cells),
                nodes=(None,) * len(cells),
            )


def test_crosstable_and_ratings_are_those_of_the_stored_games():
    games = list(stored_games())
    players = json.loads((ROOT / "results/default-tournament/config.json").read_text())["players"]
    ratings = fit_ratings(players, games)
    assert crosstable_text(ratings.ranked, games) in README
    for line in ratings_table(ratings, games).splitlines()[: 1 + len(players)]:
        assert line[: line.rindex(" ")].rstrip() in README  # all but the last column, milliseconds
    assert all(game.positions()[-1].outcome == game.outcome for game in games)


def test_benchmark_ratios_are_those_of_the_stored_run():
    results = json.loads((ROOT / "results/benchmarks/benchmarks.json").read_text())["results"]
    assert results
    for result in results:
        row = next(
            line
            for line in README.splitlines()
            if line.startswith(f"| {result['name']} |") and f"| {result['peer_name']} |" in line
        )
        assert f"| {figure(result['ours'])} {result['unit']} |" in row
        assert result["peer"] is None or f"| {figure(result['peer'])} |" in row
        assert result["ratio"] is None or f"| {result['ratio']:.3g}x |" in row
