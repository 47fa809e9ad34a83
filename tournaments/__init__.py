"""Tournaments: schedules, running, the SQLite store, ratings, crosstables and reports."""
