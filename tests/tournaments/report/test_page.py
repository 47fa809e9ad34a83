"""The report: what is on the page, that it is safe, and one page byte by byte (less its CSS and JavaScript).

Look at the page before you make it the new golden one:

    BTTT_REGENERATE_GOLDEN=1 python -m pytest tests/tournaments/report/test_page.py -k golden
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from records import random_round_robin, record
from scipy.special import stdtrit

from bttt.board import Board
from bttt.position import Outcome
from bttt.runs.intervals import wilson
from tournaments.play.game_record import GameRecord
from tournaments.report.page import CELL_ALPHABET, report_html
from tournaments.standings.ratings import fit_ratings

GOLDEN = Path(__file__).parents[2] / "golden" / "report.html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<script>alert(1)</script>"
PLAYERS = ["random", "good:iterations=1000", HOSTILE]
BOARDS = [Board.parse(text) for text in ("4x4x3:A1", "4x4x3:B2", "4x5x4:C3", "3x3x3", "4x4x3:A1,B2")]
SETTINGS = {"seed": 0, "date": "2025-01-01", "boards": BOARDS, "note": "a < b & <!-- c"}
TRAINED_ON = {"good:iterations=1000": BOARDS[:1], HOSTILE: (BOARDS[0], BOARDS[2], Board.parse("7x7x4:D4"))}
VOID = {"meta", "input", "br", "wbr"}


def golden_games():
    """Returns games on square, oblong, brick-free and two-brick boards, with a repeat and two forfeits."""
    games = random_round_robin(PLAYERS, BOARDS, opening_plies=1)
    games.append(replace(games[7], index=len(games), repeat=1))
    games[2] = replace(games[2], outcome=Outcome.SECOND_WINS, forfeit="raised ValueError: </script><b>")
    games.append(
        record(
            "random", HOSTILE, "", BOARDS[0], index=40, outcome=Outcome.SECOND_WINS, forfeit="illegal cell"
        )
    )
    return games


def report(games=None, players=PLAYERS, anchor=None, trained_on=None):
    games = golden_games() if games is None else games
    ratings = fit_ratings(players, games, anchor=anchor)
    return report_html("Golden & <i>", SETTINGS, ratings, games, trained_on)


def test_golden_report():
    html = report(trained_on=TRAINED_ON)
    for name in ("page.css", "page.js"):  # they are read in their own files
        text = files("tournaments.report").joinpath(name).read_text(encoding="utf-8")
        assert html.count(text) == 1
        html = html.replace(text, f"/* {name} */")
    if os.environ.get("BTTT_REGENERATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(html, encoding="utf-8", newline="")
    assert html == GOLDEN.read_text(encoding="utf-8")


class Page(HTMLParser):
    """Checks the nesting of a page and collects its tags, attributes and texts."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)


def test_page_is_well_formed_and_self_contained():
    page = Page(report(trained_on=TRAINED_ON))
    assert page.open == []
    assert page.tags.count("script") == 2
    identities = [value for name, value in page.attributes if name == "id"]
    assert len(identities) == len(set(identities))
    for name, value in page.attributes:
        assert not name.startswith("on"), f"inline handler {name}"
        if name in ("href", "src"):
            assert value.startswith("#")
    assert not re.search(r"@import|url\((?!#)|https?://(?!www\.w3\.org/2000/svg)", report())


def test_links_inside_the_page_lead_somewhere():
    page = Page(report(trained_on=TRAINED_ON))
    identities = {value for name, value in page.attributes if name == "id"}
    targets = {value[1:] for name, value in page.attributes if name == "href" and "=" not in value}
    assert targets
    assert targets <= identities


def test_hostile_names_and_reasons_are_text():
    page = Page(report(trained_on=TRAINED_ON))
    assert "i" not in page.texts
    assert "Golden & <i>" in page.texts["title"]
    assert "a < b & <!-- c" in page.texts["td"]
    assert any("alert(1)" in text for text in page.texts["span"])
    assert "raised ValueError: </script><b>" in page.texts["td"]
    data = re.search(r'id="data">(.*?)</script>', report(), re.DOTALL).group(1)
    assert not set(data) & set("<>&")


def embedded(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html).group(1))


def test_embedded_games_are_the_games():
    games = golden_games()
    data = embedded(report(games))
    boards = [Board(*board) for board in data["boards"]]
    for game, row in zip(games, data["games"], strict=True):
        index, first, second, board, repeat, opening, cells, outcome, forfeit, milliseconds, values, nodes = (
            row
        )
        plies = len(game.cells)
        assert game == GameRecord(
            index=index,
            first=data["players"][first],
            second=data["players"][second],
            board=boards[board],
            repeat=repeat,
            opening_plies=opening,
            cells=tuple(map(CELL_ALPHABET.index, cells)),
            outcome=Outcome(outcome),
            forfeit=forfeit,
            seconds=game.seconds,
            values=game.values,
            nodes=tuple(nodes or [None] * plies),
        )
        for given, shown in zip(game.seconds, milliseconds or [None] * plies, strict=True):
            assert (shown or 0) == pytest.approx(1000 * given, rel=0.005)
        for given, shown in zip(game.values, values or [None] * plies, strict=True):
            assert shown == (None if given is None else round(100 * given))


def test_values_that_are_no_numbers_are_left_out():
    values = (float("nan"), float("inf"))
    game = record("a", "b", "A1 B1", BOARDS[3], outcome=Outcome.FIRST_WINS, forfeit="x", values=values)
    assert embedded(report([game], ["a", "b"]))["games"][0][10] == 0


def test_every_cell_of_a_board_has_its_own_character():
    assert len(set(CELL_ALPHABET)) == len(CELL_ALPHABET) == 64


def section(html, name):
    return re.search(rf'<section id="{name}">.*?</section>', html, re.DOTALL).group()


def test_heat_maps_show_the_first_players_score_by_cell():
    board = BOARDS[2]
    win, loss = "A1 D1 A2 D2 A3 D3 A4", "A1 D1 B1 D2 A5 D3 B5 D4"
    games = [record("a", "b", win, board, index=0), record("a", "b", loss, board, index=1)]
    maps = section(report(games, ["a", "b"]), "boards").split("<svg ")[1:]
    assert len(maps) == 2
    for drawn in maps:
        assert drawn.count("<rect") == 20
        assert "C3: 1-0-1, score 50%, 2 unique" in drawn
        assert drawn.count("no games") == 19
    assert 'data-first="0" data-second="1"' in maps[1]
    assert '<rect class="s5" data-board="0" x="32" y="32"' in maps[1]


def wins_and_losses(wins):
    """Returns games of "zero" as first player on all 4x4x3 boards with one brick, won on the cells given."""
    games = []
    for cell in range(16):
        board = Board(4, 4, 3, (cell,))
        free = [board.cell_name(each) for each in range(16) if each != cell]
        outcome = Outcome.FIRST_WINS if cell in wins else Outcome.SECOND_WINS
        game = record("zero", "a", free[0], board, index=cell, outcome=outcome, forfeit="tired")
        games.append(game)
    return games


def trained_table(html):
    """Returns the rows of the section on trained players: player, the scores' texts, the weakest boards."""
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", section(html, "novelty"))
    return [
        [re.sub(r"<[^>]*>|&#8239;", " ", cell).split() for cell in re.split("</t[dh]>", row)] for row in rows
    ]


def test_scores_of_a_trained_player_on_seen_mirror_and_novel_boards():
    a1, novel_lost = 0, (1, 5, 6)
    trained = {"zero": [Board(4, 4, 3, (a1,))]}
    games = wins_and_losses(set(range(16)) - {3, *novel_lost})
    html = report(games, ["zero", "a"], trained_on=trained)
    assert html.count('href="#novelty"') == 1
    (player, _, seen, mirror, novel, weakest, _), (*_, second, _) = trained_table(html)
    assert player[1:] == ["zero", "moving", "first"] and second == ["no", "games"]
    low, high = wilson(1, 1)
    assert seen == ["100.0", "%", f"{100 * low:.1f}", "%", "to", "100.0", "%", "1-0-0", "on", "1", "board"]
    assert high == 1
    assert mirror[:2] == ["66.7", "%"] and mirror[-4:] == ["2-0-1", "on", "3", "boards"]
    assert novel[:2] == ["75.0", "%"] and novel[-4:] == ["9-0-3", "on", "12", "boards"]
    spread = stdtrit(11, 0.975) * np.sqrt(0.75 * 0.25 / 11)  # of a share over 12 boards, one game each
    assert float(novel[2]) == pytest.approx(100 * (0.75 - spread), abs=0.06)
    assert (
        novel[5] == "100.0"
        if 0.75 + spread > 1
        else float(novel[5]) == pytest.approx(75 + 100 * spread, abs=0.06)
    )
    assert weakest == ["A2", "0", "%", "A4", "0", "%", "B2", "0", "%", "B3", "0", "%"]


def test_maps_frame_the_training_cells_unless_these_are_all():
    cells = [Board(4, 4, 3, (cell,)) for cell in range(16)]
    games = wins_and_losses({1, 2, 3})
    for trained, frames in ((cells[:3], 3), (cells, 0), ([Board(7, 7, 4, (3,))], 0)):
        html = report(games, ["zero", "a"], trained_on={"zero": trained})
        own, pair = (section(html, name).split("<svg ")[-1] for name in ("novelty", "boards"))
        assert own.count('class="frame"') == pair.count('class="frame"') == frames
        assert ("Frames mark" in section(html, "boards")) == (frames > 0)
    assert 'data-first="1"' in own  # the number of "zero", who lost more than it won


def test_a_trained_player_who_never_moved_first_or_played_no_such_board_has_a_row():
    html = report(wins_and_losses(range(16)), ["zero", "a"], trained_on={"a": [Board()], "nobody": [Board()]})
    first, second = trained_table(html)
    assert first[0] == ["2", "a", "moving", "first"] and first[5] == ["no", "games"]
    assert second[0] == ["2", "a", "moving", "second"] and second[4][:3] == ["0.0", "%", "0.0"]
    assert html.count("no such boards") == 5
    assert Page(html).open == []


def test_without_training_boards_there_is_no_such_section():
    for trained in (None, {}, {"random": []}):
        assert "novelty" not in re.sub(r"<style>.*?</style>", "", report(trained_on=trained), flags=re.DOTALL)


def test_boards_with_several_bricks_or_none_are_in_a_table():
    boards = section(report(), "boards")
    table = boards[boards.index("several bricks or none") :]
    assert re.findall(r'<th scope="row">([^<]*)</th>', table) == ["3x3x3", "4x4x3:A1,B2"]
    assert "One brick on 4x5x4" in boards


def test_forfeits_are_counted_with_their_reasons():
    html = report()
    forfeits = section(html, "forfeits")
    assert "illegal cell" in forfeits
    assert 'href="#game=40"' in forfeits
    assert re.search(r"<dt>Forfeits</dt><dd><b>2</b>", html)
    clean = [game for game in golden_games() if game.forfeit is None]
    assert "No game was forfeited." in section(report(clean), "forfeits")


def test_report_is_deterministic_and_follows_the_order_of_the_ratings():
    assert report() == report()
    players = embedded(report())["players"]
    assert players[0] == "good:iterations=1000"
    assert embedded(report(players=PLAYERS[::-1]))["players"] == players


def test_seed_and_date_are_told_below_the_title():
    assert "seed 0 · date 2025-01-01" in Page(report()).texts["p"]


def test_superiority_is_never_rounded_to_certainty():
    shown = section(report(random_round_robin(PLAYERS, BOARDS, repeats=20)), "ratings")
    assert "<td>&gt;99.9</td>" in shown
    assert "<td>&lt;0.1</td>" in shown
    assert "<td>100.0</td>" not in shown


def test_anchor_is_named():
    assert "0 Elo is random." in report()
    assert "0 Elo is good:iterations=1000." in report(anchor="good:iterations=1000")


def test_a_tournament_without_games_has_a_report():
    page = Page(report([]))
    assert page.open == []
    assert "No games have been played yet, so there are no ratings." in page.texts["p"]


def shown_by_browser(folder, html, link):
    """Returns the page as it stands once the browser has run its script."""
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    options += [f"--user-data-dir={folder}", "--virtual-time-budget=2000", "--dump-dom"]
    command = [CHROMIUM, *options, f"{path.as_uri()}#{link}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def texts(html, name):
    """Returns the texts within the element of this id, by tag."""
    return Page(re.search(rf'<(\w+) id="{name}".*?</\1>', html, re.DOTALL).group()).texts


browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


@browser
@pytest.mark.parametrize(
    ("link", "caption", "outcome", "count", "lines"),
    [
        ("game=2", "random (O)", "wins by forfeit: random raised ValueError: </script><b>.", "3 of 32", 0),
        ("game=0&ply=2", "random (O)", "Game 0 on 4x4x3:A1", "1 of 32", 0),
        ("first=0&second=2&board=2", "good:iterations=1000 (O)", "on 4x4x3:B2", "1 of 1", 1),
        ("game=999", "random (O)", "Game 0 on", "there is no game 999", 1),
    ],
)
def test_viewer_in_a_browser(tmp_path, link, caption, outcome, count, lines):
    html = shown_by_browser(tmp_path, report(), link)
    shown = {name: texts(html, name) for name in ("caption", "outcome", "count", "moves")}
    assert caption in shown["caption"]["span"]
    assert outcome in "".join(shown["outcome"]["p"])
    assert count in "".join(shown["count"]["output"])
    data = embedded(html)
    index = int(re.match(r"Game (\d+)", shown["outcome"]["p"][0]).group(1))
    _, _, _, board, _, _, cells, *_ = next(row for row in data["games"] if row[0] == index)
    board = Board(*data["boards"][board])
    moves = [board.cell_name(CELL_ALPHABET.index(cell)) for cell in cells]
    assert shown["moves"]["button"] == [f"{ply}. {name}" for ply, name in enumerate(moves, 1)]
    position = re.search(r'<svg id="position".*?</svg>', html, re.DOTALL).group()
    stones = 2 if "ply=2" in link else len(moves)
    assert position.count('class="stone') == stones
    assert (position.count('class="line"') > 0) == (lines > 0)


@browser
def test_viewer_follows_keys_and_clicks(tmp_path):
    actions = """<script>
        for (const key of ["ArrowLeft", "ArrowLeft", "ArrowRight"])
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        document.body.dataset.keys = document.getElementById("ply").textContent + " " + location.hash;
        const cell = document.querySelector('svg[data-first="1"][data-second="0"] rect[data-board="4"]');
        cell.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    </script></body>"""
    html = shown_by_browser(tmp_path, report().replace("</body>", actions), "game=4")
    data = embedded(html)
    plies = len(data["games"][4][6])
    assert f'data-keys="ply {plies - 1} of {plies} #game=4&amp;ply={plies - 1}"' in html
    chosen = [row[0] for row in data["games"] if row[1:4] == [1, 0, 4]]
    assert texts(html, "count")["output"] == [f"1 of {len(chosen)} games"]
    assert f"Game {chosen[0]} on" in texts(html, "outcome")["p"][0]


def test_numbers_by_brick_cell_name_every_cell_with_its_tally():
    boards = [Board.parse(f"4x4x3:{cell}") for cell in ("A1", "B2", "C4")]
    games = random_round_robin(["a", "b"], boards)
    html = report(games, ["a", "b"])
    table = html[html.index("<summary>Numbers by brick cell") :].partition("</table>")[0]
    rows = re.findall(r'<th scope="row">(\w\d)</th><td>.*?</td><td[^>]*><b>(\d+)-(\d+)-(\d+)</b>', table)
    assert [cell for cell, *_ in rows] == ["A1", "B2", "C4"]
    for cell, *counts in rows:
        played = [game for game in games if game.board.brick_names == cell]
        assert sum(map(int, counts)) == len(played) > 0
        assert int(counts[0]) == sum(game.outcome == Outcome.FIRST_WINS for game in played)
