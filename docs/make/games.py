"""Tables of the stored tournament, evaluations, conversions and the study of generalisation."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agents.alphazero.weights import find_network, record, shipped
from bttt import OUTCOME_TEXT, Board, Outcome
from bttt.runs import wilson
from docs.make.stored import ROOT, csv_rows, fenced, markdown
from tournaments.evaluation import LossRate, loss_table
from tournaments.play import GameRecord
from tournaments.standings import crosstable_text, fit_ratings, ratings_table

TOURNAMENT = "results/default-tournament"
EVALUATIONS = ("results/evaluation", "results/evaluation-alphazero")
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


def printed_losses(*agents: str) -> str:
    """Returns the tables that `bttt evaluate` prints for these agents, from the stored evaluations."""
    rows = [row for folder in EVALUATIONS for row in csv_rows(f"{folder}/evaluation.csv")]
    rates = [_loss_rate(row) for agent in agents for row in rows if row["agent"] == agent]
    return fenced(loss_table(rates).splitlines())


def _loss_rate(row: dict[str, str]) -> LossRate:
    counts = {name: int(row[name]) for name in ("positions", "decisions", "losing")}
    interval = {name: float(row[name] or "nan") for name in ("rate", "low", "high")}
    return LossRate(row["agent"], row["kind"], row["group"], **counts, **interval)


def bundled() -> str:
    """Returns how the bundled networks were trained, by their records, and their stored error rates."""
    rates = {
        row["agent"]: f"{100 * float(row['rate']):.2f}%"
        for row in csv_rows("results/evaluation-alphazero/evaluation.csv")
        if row["kind"] == "all"
    }
    rows = []
    for name in shipped():
        made, agent = record(find_network(name)), f"alphazero:{name}"
        command, training = made["command"], made["training"]
        iterations = f"{training['iteration']} of {command[command.index('--iterations') + 1]}"
        cells = ", ".join(Board.parse(board).brick_names for board in made["boards"])
        trained_on = cells if len(made["boards"]) < 10 else f"all {len(made['boards'])} cells"
        minutes = f"{training['seconds'] / 60:.1f}"
        rows.append([f"`{agent}`", trained_on, iterations, minutes])
        rows[-1] += [rates[f"{agent},simulations=0"], rates[agent]]
    heads = ["network", "trained on", "iteration kept", "minutes until then"]
    return markdown([*heads, "error rate, raw policy", "error rate, 100 simulations"], rows)


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
