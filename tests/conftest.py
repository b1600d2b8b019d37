"""Settings of every test run."""

from hypothesis import settings

# The same examples in every run, so that a red run is the change's fault; the `slow` fuzz looks for
# new ones. No deadline: the first example of a kernel may have to compile it.
settings.register_profile("segfmt", deadline=None, derandomize=True)
settings.load_profile("segfmt")
