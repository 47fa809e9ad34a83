"""Tables of the stored tournament, evaluations, conversions and the study of generalisation."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bttt import OUTCOME_TEXT, Board, Outcome
from bttt.runs import wilson
from docs.make.stored import ROOT, csv_rows, fenced, markdown
from tournaments.play import GameRecord
from tournaments.standings import crosstable_text, fit_ratings, ratings_table

TOURNAMENT = "results/default-tournament"
OUTCOMES = {text: outcome for outcome, text in OUTCOME_TEXT.items() if outcome != Outcome.UNFINISHED}
NOVELTIES = ("all", "seen", "mirror", "novel")


def stored_games() -> Iterator[GameRecord]:
    """The games of the stored tournament; how long moves took was not stored."""
    for row in csv_rows(f"{TOURNAMENT}/games.csv"):
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


def tournament() -> str:
    """Returns the ratings and the crosstable of the stored tournament, as the command prints them."""
    games = list(stored_games())
    players = json.loads((ROOT / TOURNAMENT / "config.json").read_text(encoding="utf-8"))["players"]
    ratings = fit_ratings(players, games)
    lines = ratings_table(ratings, games).splitlines()
    timed = lines.index("")  # the last column, milliseconds a move, is not stored
    ranks = [line[: line.rindex(" ")].rstrip() for line in lines[:timed]]
    return fenced([*ranks, *lines[timed:], "", *crosstable_text(ratings.ranked, games).splitlines()])


def losses(folder: str) -> str:
    """Returns the error rates of a stored evaluation by novelty, in percent with 95% intervals."""
    found: dict[str, dict[str, str]] = {}
    for row in csv_rows(f"{folder}/evaluation.csv"):
        if row["kind"] in ("all", "novelty"):
            rate, low, high = (100 * float(row[name]) for name in ("rate", "low", "high"))
            found.setdefault(row["agent"], {})[row["group"]] = f"{rate:.2f} ({low:.1f}-{high:.1f})"
    shown = [name for name in NOVELTIES if any(name in own for own in found.values())]
    rows = [[f"`{agent}`", *(own.get(name, "-") for name in shown)] for agent, own in found.items()]
    return markdown(["error rate, %", *shown], rows)


def conversions(folder: str) -> str:
    """Returns the totals of stored conversions: games, results, and the share won with Wilson's interval."""
    rows: dict[str, list[int]] = {}
    names = ("games", "won", "drawn", "lost", "distinct")
    for row in csv_rows(f"{folder}/conversion.csv"):
        own = rows.setdefault(row["agent"], [0] * len(names))
        own[:] = [total + int(row[name]) for total, name in zip(own, names, strict=True)]
    table = []
    for agent, (games, won, drawn, lost, distinct) in rows.items():
        low, high = wilson(won / games, games)
        share = f"{100 * won / games:.1f} ({100 * low:.1f}-{100 * high:.1f})"
        table.append([f"`{agent}`", *map(str, (games, won, drawn, lost)), share, str(distinct)])
    return markdown(
        ["agent", "games", "won", "drawn", "lost", "won, % (95% interval)", "unique games"], table
    )


def layouts(board: str, counts: str) -> str:
    """Returns the values of random layouts on boards of one size, by number of bricks.

    Args:
        board: The size and win length, for example "7x7x4".
        counts: Numbers of bricks to show, with "," between them.
    """
    stored = {row["bricks"]: row for row in csv_rows("results/layouts/layouts.csv") if row["board"] == board}
    names = ("bricks", "layouts", "win", "draw", "loss", "unproven")
    heads = ["bricks", "layouts", "won by the first player", "drawn", "lost", "unproven"]
    return markdown(heads, [[stored[count][name] for name in names] for count in counts.split(",")])
