"""tournaments/suites."""
