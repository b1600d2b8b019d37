"""The conformance kit: what every format must do, as tests that the author of a plug-in inherits.

    from segfmt.testing import FormatConformance


    class TestMine(FormatConformance):
        format = "mine"

        def make(self, root, name):
            ...  # write a small dataset below root, with names of files made of `name`

pytest does the rest. `ReaderConformance` and `WriterConformance` are the halves, for a format that
is only read or only written. The kit needs pytest, which the extra `segfmt[test]` brings.
"""

from segfmt.testing.reader import ReaderConformance
from segfmt.testing.writer import WriterConformance

__all__ = ["FormatConformance", "ReaderConformance", "WriterConformance"]


class FormatConformance(ReaderConformance, WriterConformance):
    """What a format that is read and written must do."""
