"""The picture of the house shows what the imports say, and the map leads to what is there."""

import re
from pathlib import Path
from xml.etree import ElementTree

from docs.make.house import FLOORS, arrows, columns, floor_of, levels, picture, room_graph

ROOT = Path(__file__).parents[2]
NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_that_of_the_imports_now():
    assert (ROOT / "docs/house.svg").read_text(encoding="utf-8") == picture(ROOT), "run: python -m docs.make"


def test_the_picture_has_every_room_inside_the_box_of_its_package():
    svg = ElementTree.fromstring(picture(ROOT))
    texts = [element.text for element in svg.iter(f"{NAMESPACE}text") if element.text]
    rooms = room_graph(ROOT)
    assert len(texts) == len(rooms) > 25
    names = sorted("*.py" if room in FLOORS else room.removeprefix(f"{floor_of(room)}.") for room in rooms)
    assert sorted(texts) == names
    folders = {f"pruning.{path.parent.name}" for path in ROOT.glob("pruning/*/__init__.py")}
    found = {room for column in columns("pruning", rooms) for room in column}
    assert found - {"pruning"} == folders - {"pruning.studies"}


def test_the_arrows_are_those_of_the_architecture():
    assert arrows(room_graph(ROOT)) == [
        ("pruning.studies", "pruning"),
        ("pruning.studies", "tournaments"),
        ("tournaments", "agents"),
        ("agents", "bttt"),
    ]


def test_an_upward_import_would_be_an_arrow():
    rooms = {"bttt": {"agents.mcts"}, "agents.mcts": set(), "tournaments.play": {"bttt"}}
    assert arrows(rooms) == [("tournaments", "bttt"), ("bttt", "agents")]


def test_a_room_stands_right_of_all_that_it_imports():
    graph = {"a": set(), "b": {"a"}, "c": {"a", "d"}, "d": {"b", "e"}, "e": {"d"}}
    assert levels(graph) == {"a": 0, "b": 1, "d": 2, "e": 2, "c": 3}


def test_the_map_leads_to_files_that_are_there():
    text = (ROOT / "docs/house.md").read_text(encoding="utf-8")
    table = text.partition("## I want to")[2].partition("\n## ")[0]
    places = re.findall(r"`([\w/.]+)`", table)
    assert len(places) > 20
    assert [place for place in places if not (ROOT / place).exists()] == []
