"""The README's tables are those of the committed results."""

import csv
import json
import re
from pathlib import Path

import pytest

from benchmarks.__main__ import figure
from bttt import Board
from bttt.position import OUTCOME_TEXT, Outcome
from pruning.methods import methods_table
from pruning.studies.alphazero.table import COLUMNS
from pruning.studies.published.catalogue import RECIPES
from pruning.studies.published.verdicts import verdict_table
from tournaments.play.game_record import GameRecord
from tournaments.standings.crosstable import crosstable_text, ratings_table
from tournaments.standings.ratings import fit_ratings

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


def rows_of(path: str) -> list[dict[str, str]]:
    with (ROOT / "results" / path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("folder", "agents"), [("evaluation", 11), ("evaluation-alphazero", 8)])
def test_the_table_of_value_losses_is_that_of_the_stored_evaluation(folder, agents):
    rows = [row for row in rows_of(f"{folder}/evaluation.csv") if row["kind"] in ("all", "novelty")]
    assert len(rows) == 4 * agents
    lines = README.splitlines()
    for agent in {row["agent"] for row in rows}:
        line = next(line for line in lines if line.startswith(f"{agent} ") and "(" in line)
        for row in rows:
            if row["agent"] == agent:
                rate, low, high = (100 * float(row[name]) for name in ("rate", "low", "high"))
                assert f"{rate:.2f} ({low:.1f}-{high:.1f})" in line


@pytest.mark.parametrize("folder", ["conversion", "conversion-alphazero"])
def test_the_conversions_are_those_of_the_stored_games(folder):
    rows = rows_of(f"{folder}/conversion.csv")
    for agent in {row["agent"] for row in rows}:
        counts = [sum(int(row[name]) for row in rows if row["agent"] == agent) for name in ("games", "won")]
        assert any(line.split()[:3] == [agent, *map(str, counts)] for line in README.splitlines()), agent


def study_rate(rate):
    percent = [100 * float(rate[name]) for name in ("rate", "low", "high")]
    return "{:.1f} ({:.0f}-{:.0f})".format(*percent)


def test_the_tables_of_the_study_are_those_of_the_stored_rates():
    rates = [row for row in rows_of("generalisation/generalisation.csv") if int(row["simulations"]) <= 1000]
    lines = README.splitlines()
    single = [rate for rate in rates if rate["on"] == "single" and rate["novelty"] in ("seen", "novel")]
    for rate in single:
        if rate["measure"] == "losing" and rate["variant"] == "base":
            assert any(study_rate(rate) in line for line in lines), rate
        if rate["novelty"] == "novel" and rate["variant"] != "base" and rate["simulations"] in ("0", "100"):
            row = next(line for line in lines if line.startswith(f"{rate['variant']} "))
            assert study_rate(rate) in row, rate
    for rate in rates:
        if rate["on"] != "single" and rate["variant"] == "base":
            assert any(study_rate(rate) in line for line in lines), rate


def test_the_table_of_pruning_is_that_of_the_stored_run():
    lines = [line.split() for line in README.splitlines()]
    for row in rows_of("pruning/levels.csv"):
        if int(row["level"]) % 2 == 0:
            kinds = {head: float if "." in COLUMNS[head][1] else int for head in row}
            shown = [format(kinds[head](float(text)), COLUMNS[head][1]) for head, text in row.items()]
            assert shown in lines


@pytest.mark.parametrize(
    ("start", "end", "texts", "least"),
    [
        ("## What pruning does", "## What becomes of published claims", "*/*.txt", 25),
        ("## What becomes of published claims", "## How to read the results", "vision/*/*/report.txt", 40),
    ],
)
def test_the_tables_of_the_studies_of_pruning_are_those_that_were_printed(start, end, texts, least):
    section = README[README.index(start) : README.index(end)]
    shown = [line for block in section.split("```")[1::2] for line in block.splitlines() if line.strip()]
    paths = (ROOT / "results").glob(texts)
    printed = {line for path in paths for line in path.read_text(encoding="utf-8").splitlines()}
    assert len(shown) > least
    assert [line for line in shown if line not in printed] == []


def test_the_verdicts_on_published_claims_are_those_of_the_stored_experiments(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert verdict_table(Path("results/vision")) in README


def test_every_recipe_has_its_results_or_is_said_to_have_none():
    found = {json.loads(path.read_text())["recipe"] for path in ROOT.glob("results/vision/*/*/results.json")}
    recipes = list(RECIPES)
    assert {name for name in recipes if f"`{name}` has not been run" not in README} == found
    assert all((path.parent / "figure.png").is_file() for path in ROOT.glob("results/vision/*/*/report.txt"))


def test_the_table_of_methods_is_made_from_the_methods_and_its_files_are_there():
    section = README[README.index("## Every method at one density") :].split("\n## ")[0]
    assert methods_table() in section
    rows = [line for line in section.splitlines() if line.startswith("| ") and ".py`" in line]
    files = re.findall(r"`([\w/]+\.py)`", "\n".join(rows))
    assert len(files) > 5
    assert [file for file in files if not (ROOT / "pruning" / file).is_file()] == []


def test_what_is_said_of_the_starts_is_what_was_solved():
    starts = rows_of("starts/starts.csv")
    assert len(starts) == 49 and {row["value"] for row in starts} == {"1"}
    won_in_9 = {row["brick"] for row in starts if row["plies"] == "9"}
    assert won_in_9 == {"C4", "D3", "D5", "E4", "B4", "D2", "D6", "F4"}
    assert all(row["plies"] == "11" for row in starts if row["brick"] not in won_in_9)
    moves = rows_of("starts/first_moves.csv")
    unproven = sum(not row["value"] for row in moves)
    assert f"{unproven} of {len(moves):,} first moves" in README
