"""Settings of the whole suite."""

import os

from hypothesis import settings

# No deadline: the first example may compile a kernel, and machines under load are slow at times.
# Continuous integration tries the same examples each time, so that what fails is what was changed.
settings.register_profile("bttt", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("bttt")
