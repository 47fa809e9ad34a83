"""The buffer of self-play: complete games, split by game, stored, and corrupt files."""

import numpy as np
import pytest
from fake_networks import hashed

from agents.alphazero.configs import SearchConfig, SelfPlayConfig
from agents.alphazero.learning.replay import sample_type
from bttt.board import Board
from pruning.studies.alphazero.buffer import VALIDATION_GAMES, Buffer, load_buffer, play_buffer, save_buffer

BOARD = Board.parse("4x4x3:A1")
MADE = {"network": "0123", "positions": 150, "search": {"simulations": 4}}


@pytest.fixture(scope="module")
def played():
    return play(seed=0)


def play(seed, positions=150):
    return play_buffer(
        hashed,
        [BOARD],
        False,
        positions=positions,
        config=SelfPlayConfig(games=7, opening_plies=2),
        search=SearchConfig(simulations=4, gumbel=True),
        seed=seed,
    )


def test_samples_lie_game_by_game(played):
    assert len(played.samples) == len(played.games) >= 150
    assert (np.diff(played.games) >= 0).all()
    assert set(played.games) == set(range(played.games[-1] + 1))
    for number in set(played.games):
        own = played.samples[played.games == number]
        stones = [int(sample["mine"] | sample["theirs"]).bit_count() for sample in own]
        assert stones == list(range(stones[0], stones[0] + len(own)))  # a ply after the other


def test_it_depends_on_the_seed_alone(played):
    assert play(seed=0).samples.tobytes() == played.samples.tobytes()
    assert play(seed=1).samples.tobytes() != played.samples.tobytes()


def test_no_game_is_in_both_splits(played):
    numbered = Buffer(played.games.astype("<i8"), played.games)
    train, validation = numbered.split()
    assert not set(train) & set(validation)
    assert len(train) + len(validation) == len(played.games)
    assert set(validation) == {number for number in set(played.games) if number % VALIDATION_GAMES == 0}
    train, validation = played.split()
    assert len(train) > 4 * len(validation) > 0


def test_few_positions_are_still_of_both_splits():
    assert all(len(part) for part in play(seed=0, positions=1).split())


def test_a_stored_buffer_is_the_same(tmp_path, played):
    path = tmp_path / "buffer.npz"
    save_buffer(played, path, MADE)
    found = load_buffer(path, BOARD.cells, MADE)
    assert found.samples.tobytes() == played.samples.tobytes() and (found.games == played.games).all()
    assert found.samples.dtype == sample_type(BOARD.cells)


def test_damaged_buffers_are_refused(tmp_path, played):
    path = tmp_path / "buffer.npz"
    save_buffer(played, path, MADE)
    whole = path.read_bytes()
    for content in (b"", whole[:-100], whole[: len(whole) // 2], b"no buffer"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"buffer.npz is corrupt, or not a buffer of bttt prune"):
            load_buffer(path, BOARD.cells, MADE)
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="boards of another size"):
        load_buffer(path, 49, MADE)
    save_buffer(Buffer(played.samples, played.games[:-1]), path, MADE)
    with pytest.raises(ValueError, match="is corrupt"):
        load_buffer(path, BOARD.cells, MADE)


def test_a_buffer_that_was_made_with_other_settings_is_refused(tmp_path, played):
    path = tmp_path / "buffer.npz"
    save_buffer(played, path, MADE)
    for other in ({"network": "4567"}, {"search": {"simulations": 5}}, {"seed": 1}):
        with pytest.raises(ValueError, match=f"was made with other settings: {next(iter(other))} is"):
            load_buffer(path, BOARD.cells, {**MADE, **other})
