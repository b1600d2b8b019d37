"""The same examples in every run, without deadline: machines that test are busy."""

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
