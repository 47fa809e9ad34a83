"""The pages of results show what is stored in results/."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from agents.alphazero.weights import find_network, record, shipped
from benchmarks.__main__ import figure
from docs.make import stored
from docs.make.__main__ import MAKERS, made
from docs.make.blocks import BLOCK, filled
from docs.make.games import stored_games
from pruning.studies.bilevel.recipes import BILEVEL_RECIPES as BILEVEL
from pruning.studies.methods import METHODS_COMPARED
from pruning.studies.published.catalogue import RECIPES

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/results").glob("*.md"))


def page(name: str) -> str:
    return (ROOT / f"docs/results/{name}.md").read_text(encoding="utf-8")


def rows_of(path: str) -> list[dict[str, str]]:
    with (ROOT / "results" / path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_all_blocks_are_as_they_would_be_made_now():
    stale = [path.name for path, text in made().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -m docs.make"


def test_every_table_of_numbers_is_a_made_block():
    """Outside the blocks a table has text: names, commands, meanings."""
    for path in PAGES:
        hand_written = re.sub(
            r"<!-- made: .*?<!-- end -->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        cells = [
            cell.strip()
            for line in hand_written.splitlines()
            if line.startswith("|")
            for cell in line.strip("|").split("|")
        ]
        assert [cell for cell in cells if re.fullmatch(r"[-+]?[\d.,]+ ?[%kx]?( .*[\d)])?", cell)] == [], (
            path.name
        )
        assert "```text" not in hand_written, path.name


def test_each_row_of_a_table_of_text_is_a_line_of_its_file():
    """An oracle for the makers `table` and `text`: all cells of a row stand in one line as it is stored."""
    tables = 0
    for path in PAGES:
        for found in BLOCK.finditer(path.read_text(encoding="utf-8")):
            maker, file, *_ = *shlex.split(found["call"]), ""
            if maker in ("table", "text"):
                stored_lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
                shown = [line for line in found["body"].strip().splitlines() if line.strip("`").strip()]
                rows = shown[2:] if maker == "table" else [line for line in shown if line != "```text"]
                assert len(rows) >= 3, found["call"]
                for row in rows:
                    cells = (
                        [cell.strip() for cell in row.strip("|").split(" | ")] if maker == "table" else [row]
                    )
                    assert any(all(cell in line for cell in cells) for line in stored_lines), row
                tables += 1
    assert tables > 25


def test_a_table_shows_the_columns_and_rows_asked_for(tmp_path, monkeypatch):
    stored_text = (
        "first\n\nname    a b     c\n one  1 ±2  -3.5\n two     -  +4.0\nmean  9\n\nname  d\nlast  5\n"
    )
    (tmp_path / "table.txt").write_text(stored_text, encoding="utf-8")
    monkeypatch.setattr(stored, "ROOT", tmp_path)
    assert stored.table("table.txt", "name").splitlines() == [
        "| name | a b | c |",
        "| --- | ---: | ---: |",
        "| one | 1 ±2 | -3.5 |",
        "| two | - | +4.0 |",
    ]
    chosen = stored.table("table.txt", "name", columns="c=C;name", rows="two", first="x")
    assert chosen.splitlines() == ["| x | name |", "| ---: | --- |", "| +4.0 | two |"]
    assert stored.table("table.txt", "name", under="mean").splitlines()[-1] == "| last | 5 |"
    assert stored.text("table.txt", "two").splitlines() == ["```text", " two     -  +4.0", "mean  9", "```"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("nothing", "no maker 'nothing'; there are: "),
        ("text results/missing.txt", "No such file"),
        ("text results/methods/methods.txt nowhere", "no line begins with 'nowhere'"),
        ("table results/methods/methods.txt method rows=unheard", "'unheard'"),
        ("table results/methods/methods.txt method columns=unheard", "'unheard' is not in list"),
        ("claims nobody", "no claim of 'nobody'"),
    ],
)
def test_a_block_that_cannot_be_made_is_an_error_that_names_it(call, message):
    with pytest.raises(ValueError, match=re.escape(call)) as error:
        filled(f"<!-- made: {call} -->\n<!-- end -->", MAKERS)
    assert message in str(error.value)


def test_the_games_of_the_tournament_are_legal_and_end_as_stored():
    games = list(stored_games())
    assert len(games) == 2058
    assert all(game.positions()[-1].outcome == game.outcome for game in games)


def test_the_tables_of_rates_are_those_of_the_stored_files():
    for folder, where in (
        ("evaluation", "evaluation"),
        ("evaluation-alphazero", "evaluation"),
        ("evaluation-drawn", "starts-and-layouts"),
    ):
        for row in rows_of(f"{folder}/evaluation.csv"):
            if row["kind"] in ("all", "novelty"):
                rate, low, high = (100 * float(row[name]) for name in ("rate", "low", "high"))
                line = next(
                    line for line in page(where).splitlines() if line.startswith(f"| `{row['agent']}` |")
                )
                assert f"{rate:.2f} ({low:.1f}-{high:.1f})" in line
    for folder in ("conversion", "conversion-alphazero"):
        rows = rows_of(f"{folder}/conversion.csv")
        for agent in {row["agent"] for row in rows}:
            counts = [
                sum(int(row[name]) for row in rows if row["agent"] == agent) for name in ("games", "won")
            ]
            assert f"| `{agent}` | {counts[0]} | {counts[1]} |" in page("conversion")


def test_the_tables_of_the_study_are_those_of_the_stored_rates():
    """Each rate on novel placements and other boards stands in a row of its training set or variant."""
    lines = page("generalisation").splitlines()
    for rate in rows_of("generalisation/generalisation.csv"):
        percent = [100 * float(rate[name]) for name in ("rate", "low", "high")]
        text = "{:.1f} ({:.0f}-{:.0f})".format(*percent)
        base = rate["variant"] == "base"
        start = f"| {rate['brick_set']} |" if base else f"| `{rate['variant']}` |"
        novelties = ("novel", "seen") if base and rate["measure"] == "losing" else ("novel",)
        measured = base or (rate["measure"] != "conversion" and int(rate["simulations"]) <= 100)
        if measured and (rate["novelty"] in novelties or (base and rate["on"] != "single")):
            assert any(line.startswith(start) and text in line for line in lines), rate


def test_the_levels_are_those_of_the_stored_runs():
    lines = page("pruning").replace(",", "").splitlines()
    for folder, levels in (("pruning", 13), ("pruning-r3", 5)):
        rows = rows_of(f"{folder}/levels.csv")
        assert len(rows) == levels
        for row in rows:
            rates = [
                f"{float(value):.2%}"
                for head, value in row.items()
                if head.startswith(("losing", "searched"))
            ]
            start = f"| {row['level']} | {float(row['density']):.3f} | {row['parameters']} |"
            assert any(
                line.startswith(start) and all(f" {rate} |" in line for rate in rates) for line in lines
            )


def test_benchmark_ratios_are_those_of_the_stored_run():
    results = json.loads((ROOT / "results/benchmarks/benchmarks.json").read_text())["results"]
    rows = [line for line in page("benchmarks").splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(results) > 20
    for row, result in zip(rows, results, strict=True):
        assert row.startswith(f"| {result['name']} | {figure(result['ours'])} {result['unit']} |")
        assert result["peer"] is None or f"| {result['peer_name']} | {figure(result['peer'])} |" in row
        assert result["ratio"] is None or f"| {result['ratio']:.3g}x |" in row


def test_every_recipe_has_its_results_and_every_experiment_its_report_and_figure():
    found = {json.loads(path.read_text())["recipe"] for path in ROOT.glob("results/vision/*/*/results.json")}
    assert found == {*RECIPES, *BILEVEL}
    assert all(f"| `{name}` |" in page("published") for name in found)
    for path in ROOT.glob("results/vision/*/*/results.json"):
        assert (path.parent / "figure.png").is_file() and (path.parent / "report.txt").is_file()


def test_every_claim_is_on_the_page_of_its_paper():
    pages = {
        "init": "initial",
        "rigl": "sparse",
        **{
            name: name
            for name in ("bilevel", "dropnet", "greedy", "methods", "retraining", "silo", "tickets")
        },
    }
    for path in ROOT.glob("results/vision/*/*/results.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        text = page(pages[record["recipe"].partition("/")[0]])
        for claim in record["claims"]:
            row = next(line for line in text.splitlines() if line.startswith(f"| {claim['claim']} |"))
            cell = {"confirmed": 2, "not confirmed": 3, "not testable": 4}[claim["verdict"]]
            assert path.parent.relative_to(ROOT).as_posix() + "/report.txt" in row.split("|")[cell]


def test_the_table_of_methods_names_files_that_are_there():
    text = page("methods").partition("## The methods")[2]
    files = re.findall(r"`(pruning/[\w/]+\.py)`", text)
    assert len(files) == len(METHODS_COMPARED)
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_the_links_and_pictures_of_the_pages_lead_to_files():
    for path in (ROOT / "docs").rglob("*.md"):
        if "_build" not in path.parts:
            targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
            missing = [target for target in targets if not (path.parent / target).exists()]
            assert missing == [], path.name


def test_what_is_said_of_the_starts_is_what_was_solved():
    starts = rows_of("starts/starts.csv")
    assert len(starts) == 49 and {row["value"] for row in starts} == {"1"}
    won_in_9 = {row["brick"] for row in starts if row["plies"] == "9"}
    assert won_in_9 == {"C4", "D3", "D5", "E4", "B4", "D2", "D6", "F4"}
    assert all(row["plies"] == "11" for row in starts if row["brick"] not in won_in_9)
    moves = rows_of("starts/first_moves.csv")
    counts = {value: sum(row["value"] == value for row in moves) for value in ("1", "0", "-1", "")}
    text = " ".join(page("starts-and-layouts").split())
    assert (
        f"Of {len(moves):,} first moves, {counts['1']:,} win, {counts['0']} draw and {counts['-1']:,} lose. "
        f"The other {counts['']} of {len(moves):,} first moves are not proven" in text
    )
    edge = [row for row in moves if set(row["move"]) & set("AG17")]
    lost = sum(row["value"] == "-1" for row in edge)
    assert f"Of the {len(edge):,} first moves on the edge of the board {lost:,} lose" in text


def test_the_guide_shows_the_stored_error_rates_and_times():
    """Rates counted again from the stored counts, times read from the records of the files."""
    guide = (ROOT / "docs/generalisation.md").read_text(encoding="utf-8")
    train = (ROOT / "docs/train.md").read_text(encoding="utf-8")
    counted = {
        row["agent"]: f"{100 * int(row['losing']) / int(row['decisions']):.2f}"
        for folder in ("evaluation", "evaluation-alphazero")
        for row in rows_of(f"{folder}/evaluation.csv")
        if row["kind"] == "all"
    }
    for agent in ("alphazero:r3,simulations=0", "alphazero:r3", "minimax:depth=2"):
        assert re.search(rf"^{agent} +{counted[agent]} \(", guide, flags=re.MULTILINE), agent
    for name in shipped():
        agent, made = f"alphazero:{name}", record(find_network(name))
        line = next(line for line in train.splitlines() if line.startswith(f"| `{agent}` |"))
        shown = [cell.strip() for cell in line.strip("|").split("|")]
        assert shown[3] == f"{made['training']['seconds'] / 60:.1f}"
        assert shown[4:] == [f"{counted[f'{agent},simulations=0']}%", f"{counted[agent]}%"]
    study = json.loads((ROOT / "results/generalisation/generalisation.json").read_text(encoding="utf-8"))
    games = [run["training"]["games"] for run in study["networks"] if run["variant"] == "base"]
    assert f"Each run played {min(games):,} to {max(games):,} games." in train


def test_what_is_said_of_the_time_of_pruned_networks_was_measured():
    stored = json.loads((ROOT / "results/pruning-time/pruned-networks.json").read_text(encoding="utf-8"))
    ratios = {
        (row["network"], row["round_to"], row["precision"]): row["ratio"]
        for row in stored["results"]
        if row["batch"] == 64 and row["wanted"] != 0.13
    }
    (smaller,) = (
        row["ratio"]
        for row in stored["results"]
        if (row["network"], row["precision"], row["batch"], row["wanted"]) == ("base", "bfloat16", 64, 0.13)
    )
    assert smaller > 4
    for precision in ("bfloat16", "float32"):
        assert min(ratios["paper", 16, precision], ratios["paper", 32, precision]) > 4
        assert ratios["paper", 1, precision] < 4
    assert ratios["base", 16, "float32"] > 4
    assert max(ratios["base", round_to, "bfloat16"] for round_to in (1, 8, 16, 32)) < 4
    assert ratios["small", 16, "bfloat16"] == pytest.approx(ratios["small", 1, "bfloat16"], rel=0.1)
    base = next(row for row in stored["results"] if (row["network"], row["batch"]) == ("base", 64))
    assert base["precision"] == "bfloat16" and base["arithmetic"] > 0.8 * base["us"]
    small = [row for row in stored["results"] if (row["network"], row["batch"]) == ("small", 1)]
    assert all(row["calls"] > 0.5 * row["us"] for row in small)
