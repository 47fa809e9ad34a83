"""Playing games: independence of batches and processes, and forfeits."""

import re
import time
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pytest
from brute_force import BruteForce

from agents import Decision, make_agent
from agents.asking import thinking
from agents.random_agent import RandomAgent
from bttt import Board, Outcome, brick_sets
from tournaments.play import runner
from tournaments.play.conditions import Conditions
from tournaments.play.runner import play_games, play_in_processes
from tournaments.play.schedule import schedule_games

BOARDS = brick_sets("orbit:0")


def untimed(records):
    return sorted((replace(record, seconds=()) for record in records), key=lambda record: record.index)


@dataclass
class LastCell:
    """Plays the last free cell, unless told to misbehave from a given ply on."""

    misbehave_at: int = 99
    how: str = "raise"
    batched: bool = True

    def decide(self, positions, rng):
        if self.how == "raise" and any(p.plies >= self.misbehave_at for p in positions):
            raise RuntimeError("out of\nideas")
        return [self._decide(position) for position in positions]

    def _decide(self, position):
        if position.plies < self.misbehave_at:
            return Decision(position.legal_cells()[-1], value=0.25, nodes=3)
        if self.how == "slow":
            time.sleep(0.5)
            return Decision(position.legal_cells()[-1])
        return {"taken": Decision(position.last_move), "off": Decision(1000), "none": None}[self.how]


def play(agents, conditions=None, boards=BOARDS, repeats=2, **options):
    schedule = schedule_games("round-robin", list(agents), boards, repeats)
    return untimed(play_games(schedule, agents, conditions or Conditions(), **options))


def test_records_replay_to_their_outcome():
    for record in play({"random": RandomAgent(), "last": LastCell()}, Conditions(opening_plies=3)):
        positions = record.positions()
        assert positions[-1].outcome == record.outcome != Outcome.UNFINISHED
        assert not any(position.outcome for position in positions[:-1])
        movers = [record.players[ply % 2] for ply in range(len(record.cells))]
        given = [None if ply < 3 or who == "random" else 0.25 for ply, who in enumerate(movers)]
        assert list(record.values) == given
        assert [n for n in record.nodes if n is not None] == [3] * sum(v is not None for v in given)


@pytest.mark.parametrize("in_flight", [1, 3, 100])
def test_games_do_not_depend_on_the_games_beside_them(in_flight):
    agents = {"random": RandomAgent(), "last": LastCell()}
    assert play(agents, in_flight=in_flight) == play(agents)


def test_a_single_game_can_be_played_again_alone():
    agents = {"random": RandomAgent(), "other": RandomAgent()}
    schedule = schedule_games("round-robin", list(agents), BOARDS, 2)
    everything = untimed(play_games(schedule, agents, Conditions(seed=3)))
    for index in (0, 5, 15):
        (alone,) = untimed(play_games([schedule[index]], agents, Conditions(seed=3)))
        assert alone == everything[index]


def test_seed_decides_the_games():
    agents = {"random": RandomAgent(), "last": LastCell()}
    assert play(agents, Conditions(seed=1)) != play(agents, Conditions(seed=2))


def test_one_worker_equals_four():
    players = ("random", "minimax:depth=2", "mcts:iterations=50")
    agents = {name: make_agent(name) for name in players}
    schedule = schedule_games("round-robin", players, BOARDS, 1)
    one, four = (
        list(chain(*play_in_processes(schedule, agents, Conditions(), workers=number, in_flight=5)))
        for number in (1, 4)
    )
    assert untimed(one) == untimed(four)
    assert len(one) == len(schedule)


def test_a_value_that_is_no_number_is_stored_as_none():
    class Doubtful(RandomAgent):
        def decide(self, positions, rng):
            return [replace(decision, value=float("nan")) for decision in super().decide(positions, rng)]

    records = play({"a": Doubtful(), "b": RandomAgent()})
    assert {value for record in records for value in record.values} == {None}
    assert {record.forfeit for record in records} == {None}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "raised RuntimeError: out of ideas"),
        ("taken", "illegal decision: cell .* is taken"),
        ("off", "illegal decision: cell 1000 is not on the 7x7 board"),
        ("none", "raised TypeError: decide must return a list of agents.Decision, got None in it"),
    ],
)
def test_misbehaviour_loses_only_the_games_in_which_it_happens(how, reason):
    agents = {"bad": LastCell(misbehave_at=5, how=how), "random": RandomAgent()}
    records = play(agents)
    assert {record.forfeit is not None for record in records} == {True}
    for record in records:
        seat = record.players.index("bad")
        assert len(record.cells) == (5 if seat == 1 else 6)
        assert record.winner == 1 - seat
        assert re.match(reason, record.forfeit)
        assert "\n" not in record.forfeit


def test_a_failing_batch_leaves_the_random_numbers_of_the_other_games_alone():
    class Fragile(RandomAgent):
        def decide(self, positions, rng):
            decisions = super().decide(positions, rng)
            if any(position.board == BOARDS[0] for position in positions):
                raise RuntimeError("not on this board")
            return decisions

    fragile = play({"a": Fragile(), "b": RandomAgent()})
    sound = play({"a": RandomAgent(), "b": RandomAgent()})
    for ours, theirs in zip(fragile, sound, strict=True):
        if ours.board == BOARDS[0]:
            assert ours.forfeit.startswith("raised RuntimeError: not on this board (")
        else:
            assert ours == theirs


def test_the_clock_forfeits_slow_moves_and_no_others():
    agents = {"slow": LastCell(misbehave_at=2, how="slow"), "random": RandomAgent()}
    records = play(agents, Conditions(seconds_per_move=0.25), repeats=1)
    for record in records:
        assert record.players[1 - record.winner] == "slow"
        assert re.fullmatch(r"took [\d.]+ s for a move, the limit is 0.25 s", record.forfeit)


def test_an_agent_without_batches_gets_each_game_s_own_generator():
    class Plain:
        def decide(self, positions, rng):
            (position,) = positions
            assert isinstance(rng, np.random.Generator)
            cells = position.legal_cells()
            return [Decision(cells[int(rng.integers(len(cells)))])]

    plain = play({"a": Plain(), "b": RandomAgent()})
    assert plain == play({"a": RandomAgent(), "b": RandomAgent()})


def test_games_on_boards_of_different_sizes_play_together():
    boards = [Board(3, 3, 3), Board(5, 4, 3, "B2"), Board()]
    records = play({"a": RandomAgent(), "b": RandomAgent()}, boards=boards)
    assert {record.board for record in records} == set(boards)


def decided_within(record, plies):
    """The first ply, after the opening, at which perfect play ends within `plies`; else the game's last."""
    oracle = BruteForce(record.board)
    for ply, position in enumerate(record.positions()):
        if ply > record.opening_plies and oracle.verdict(position)[1] <= plies:
            return ply, position, oracle.verdict(position)[0]
    raise AssertionError("every game ends")


@pytest.mark.parametrize("within", [1, 3, 5])
def test_adjudicated_games_are_the_played_out_ones_cut_where_the_end_is_proven_near(within):
    boards = [Board(3, 3, 3), Board(4, 4, 3, "A1"), Board(4, 4, 4, "B2,C3,D1,A4")]
    agents = {"a": RandomAgent(), "b": RandomAgent()}
    whole = play(agents, Conditions(opening_plies=4), boards, repeats=6)
    cut = play(agents, Conditions(opening_plies=4, adjudicate=within), boards, repeats=6)
    assert not any(record.adjudicated for record in whole)
    for record, full in zip(cut, whole, strict=True):
        ply, position, value = decided_within(full, within)
        assert record.cells == full.cells[:ply]
        assert record.adjudicated is not bool(position.outcome)
        seat = {1: position.to_move, 0: None, -1: 1 - position.to_move}[value]
        assert record.outcome != Outcome.UNFINISHED
        assert record.winner == seat
        assert len(record.values) == len(record.nodes) == ply
    assert {record.outcome for record in cut if record.adjudicated} == set(Outcome) - {Outcome.UNFINISHED}


def test_a_forfeited_game_is_not_an_adjudicated_one():
    agents = {"bad": LastCell(misbehave_at=3), "random": RandomAgent()}
    for record in play(agents, Conditions(adjudicate=1)):
        assert (record.forfeit is not None, record.adjudicated) == (True, False)


def test_a_given_opening_is_played_instead_of_a_drawn_one():
    (game, _) = schedule_games("round-robin", ["a", "b"], [Board(bricks="D4")], 1)
    agents = {"a": RandomAgent(), "b": RandomAgent()}
    (record,) = play_games([replace(game, given=(5, 9, 13))], agents, Conditions(opening_plies=2))
    assert record.cells[:3] == (5, 9, 13)
    assert record.opening_plies == 3 and record.seconds[:3] == (0, 0, 0)


def test_an_agent_cannot_win_by_an_answer_that_changes_or_by_a_name_for_a_cell():
    """A cell's name was once played, then refused: the opponent forfeited."""

    class ByName(RandomAgent):
        def decide(self, positions, rng):
            return [Decision(position.board.cell_name(position.legal_cells()[0])) for position in positions]

    for record in play({"names": ByName(), "random": RandomAgent()}):
        assert record.forfeit is None
        assert record.positions()[-1].outcome == record.outcome
    fickle = {"it": make_agent("python:hostile_agents:Fickle"), "random": RandomAgent()}
    for record in play(fickle):
        assert record.positions()[-1].outcome == record.outcome


def test_agents_are_warmed_up_on_boards_of_the_run_only():
    class Watched(RandomAgent):
        def __init__(self):
            self.seen = []

        def decide(self, positions, rng):
            self.seen += [position.board for position in positions]
            return super().decide(positions, rng)

    watched = Watched()
    schedule = schedule_games("round-robin", ["it", "other"], [Board(3, 3, 3), Board(4, 3, 3)], 1)
    agents = {"it": watched, "other": RandomAgent()}
    next(play_in_processes(schedule, agents, Conditions(), workers=1))
    assert set(watched.seen) == {Board(3, 3, 3), Board(4, 3, 3)}


def test_an_agent_is_named_if_its_warming_up_takes_long(monkeypatch):
    seen = []
    monkeypatch.setattr(runner, "warm_up", lambda *_: seen.append(thinking._watch.query[0]))
    schedule = schedule_games("round-robin", ["it", "other"], [Board(3, 3, 3)], 1)
    next(play_in_processes(schedule, {"it": RandomAgent(), "other": RandomAgent()}, Conditions(), workers=1))
    assert seen == ["it has been warming up", "other has been warming up"]
