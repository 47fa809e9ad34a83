"""A tournament from Python: play, store, rate. Rerun it in the same folder: no game is played twice."""

import sys
import tempfile
from pathlib import Path

from tournaments import TournamentConfig, run_tournament
from tournaments.play import STORE_FILE, Conditions, Store
from tournaments.standings import fit_ratings


def main(folder):
    """Plays three agents on two boards and prints what moving first is worth."""
    config = TournamentConfig(
        players=("random", "minimax:depth=1", "mcts:iterations=50"),
        bricks=("D4", "E5"),
        conditions=Conditions(opening_plies=2),
        workers=1,
        out=folder,
    )
    run_tournament(config)
    with Store.open(folder / STORE_FILE) as store:
        games = store.games()
    ratings = fit_ratings(config.players, games)
    print(f"{len(games)} games; moving first is worth {ratings.first_move:+.0f} Elo")
    print(f"strongest: {ratings.ranked[0]}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()) / "tournament")
