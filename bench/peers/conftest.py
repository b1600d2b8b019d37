"""Nothing here is a test, and most of it runs in other environments only."""

collect_ignore_glob = ["*.py"]
