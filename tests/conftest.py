"""Settings of the whole suite."""

from hypothesis import settings

# No deadline: the first example may compile a kernel, and machines under load are slow at times.
settings.register_profile("bttt", deadline=None)
settings.load_profile("bttt")
