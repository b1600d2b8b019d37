"""`python -m segfmt` is `segfmt`."""

from segfmt.cli import main

main()
