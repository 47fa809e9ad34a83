"""AlphaZero: a network trained by self-play on chosen bricks, and the search that it guides."""
