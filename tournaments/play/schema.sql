-- One tournament per file. For example, all games of A against B on E5:
--   SELECT * FROM results WHERE first = 'A' AND second = 'B' AND bricks = 'E5';
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    settings TEXT NOT NULL,      -- JSON: the settings that determine the games
    games INTEGER NOT NULL,      -- games in the schedule
    created TEXT NOT NULL,       -- ISO 8601, UTC
    version TEXT NOT NULL        -- of brick-tic-tac-toe
);

CREATE TABLE players (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    name TEXT NOT NULL,          -- the spec, for example "mcts:iterations=1000"
    UNIQUE (run_id, name)
);

CREATE TABLE games (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    number INTEGER NOT NULL,     -- in the schedule, from 0
    first_id INTEGER NOT NULL REFERENCES players (id),
    second_id INTEGER NOT NULL REFERENCES players (id),
    board TEXT NOT NULL,         -- for example "7x7x4:E5"
    bricks TEXT NOT NULL,        -- for example "E5" or "D4,E5"
    repeat INTEGER NOT NULL,
    opening_plies INTEGER NOT NULL,
    plies INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('first wins', 'second wins', 'draw')),
    forfeit TEXT,                -- why the loser forfeited, if so
    UNIQUE (run_id, number)
);
CREATE INDEX games_by_pair ON games (first_id, second_id, bricks);

CREATE TABLE moves (
    game_id INTEGER NOT NULL REFERENCES games (id),
    ply INTEGER NOT NULL,        -- from 0
    cell TEXT NOT NULL,          -- for example "D4"
    seconds REAL NOT NULL,       -- thinking time (a batch divides its time equally); 0 for opening plies
    value REAL,                  -- the mover's expected result, in [-1, 1]
    nodes INTEGER,               -- positions searched
    PRIMARY KEY (game_id, ply)
) WITHOUT ROWID;

-- The first traceback of each player. Files of older versions have no such table.
CREATE TABLE IF NOT EXISTS tracebacks (
    player_id INTEGER PRIMARY KEY REFERENCES players (id),
    number INTEGER NOT NULL,     -- of the game, in the schedule
    text TEXT NOT NULL
);

-- A run that has grown: what it scheduled before it grew, each time.
CREATE TABLE IF NOT EXISTS stages (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    players INTEGER NOT NULL,    -- how many of the players, in the order of their ids
    boards INTEGER NOT NULL,     -- how many of the boards, in the order of the settings
    repeats INTEGER NOT NULL
);

CREATE VIEW results AS
SELECT games.id, games.number, first.name AS first, second.name AS second, games.board, games.bricks,
       games.repeat, games.opening_plies, games.plies, games.outcome, games.forfeit
FROM games
JOIN players AS first ON first.id = games.first_id
JOIN players AS second ON second.id = games.second_id;
