"""The same examples in every run, so that a red run is the change's fault."""

from hypothesis import settings

settings.register_profile("segfmt", derandomize=True, deadline=None)
settings.load_profile("segfmt")
