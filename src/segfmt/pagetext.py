"""What an HTML page says of an inspection and of a conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segfmt.files import nfc, readable
from segfmt.htmlpage import ClassRow, FailureRow, NoteRow, Page, SizeRow, SplitRow, clipped
from segfmt.htmlpictures import hex_color
from segfmt.words import many, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from segfmt.classes import Color
    from segfmt.inspection import Inspection
    from segfmt.report import Failure, Report, Tally

SHOWN_SIZES = 3
SUBJECTS = 20


def inspection_page(found: Inspection, colors: Mapping[int, Color]) -> Page:
    """Return the page of a dataset; `colors` by id, where they are not the dataset's own."""
    bad = len(found.failures)
    page = Page(
        f"What the {found.format} dataset holds",
        found.version,
        f"{many(bad, 'sample')} of {found.total:,} cannot be read"
        if bad
        else f"{many(found.samples, 'sample')} read, none is bad",
        not bad,
        ": segfmt inspect --json has them all",
        [found.source],
    )
    _add_inspection(page, found, colors)
    page.facts += _rules(found.fill_rules)
    page.failures = _failures(found.failures, "cannot be read", found.source)
    page.remarks.append(("Warnings", found.warnings))
    page.notes = _notes(found.notes)
    page.splits = _splits(found.splits)
    return page


def conversion_page(report: Report, found: Inspection | None, colors: Mapping[int, Color]) -> Page:
    """Return the page of a conversion, and of what its target holds, if somebody looked."""
    unread = found.failures if found else []
    good = report.ok and not unread and (report.done > 0 or report.dry_run)
    page = Page(
        f"{report.source_format} to {report.target_format}",
        report.version,
        _verdict(report, len(unread)),
        good,
        ": the report in JSON, .segfmt/report.json in the target, has them all",
        [f"from {report.source}", f"to {report.target}"],
    )
    page.facts = [
        ("listed in the source", many(report.total, "sample")),
        ("converted", f"{report.done:,}"),
        ("skipped on purpose", _counts(report.skips) or "0"),
        ("failed", f"{report.failed:,}"),
    ]
    if report.verified is not None:
        page.facts.append(("read back and found the same", f"{report.verified:,}"))
    page.facts += _rules(report.fill_rules)
    if found:
        _add_inspection(page, found, colors)
    page.facts.append(("time", f"{report.seconds:.1f} s"))
    page.remarks = [
        ("What the target cannot hold of the source", report.losses),
        ("Warnings", report.warnings + (found.warnings if found else [])),
    ]
    page.failures = [
        *_failures(report.failures, "not converted", report.source),
        *_failures(report.differing, "differs from its source", report.target),
        *_failures(unread, "written, but cannot be read", report.target),
    ]
    page.notes = _notes(report.notes)
    page.splits = _splits(report.splits)
    return page


def _verdict(report: Report, unread: int) -> str:
    if report.dry_run:
        return f"A dry run: {many(sum(report.splits.values()), 'sample')} would be converted"
    faults = (
        (report.failed, "failed"),
        (len(report.differing), "differ from their source"),
        (unread, "cannot be read back"),
    )
    words = [f"{count:,} {what}" for count, what in faults if count]
    return ", ".join([f"{many(report.done, 'sample')} converted", *words])


def _add_inspection(page: Page, found: Inspection, colors: Mapping[int, Color]) -> None:
    sizes = [f"{size} ({count:,})" for size, count in found.sizes.items()]
    more = len(sizes) - SHOWN_SIZES
    page.facts += [
        ("read", f"{found.samples:,} of {many(found.total, 'sample')}"),
        ("width x height", ", ".join(sizes[:SHOWN_SIZES]) + (f" and {more:,} more" * (more > 0))),
        ("pixels", f"{found.pixels:,}"),
    ]
    for role in ("background", "ignore"):
        shares = [info.share for info in found.classes if info.role == role]
        if shares:
            page.facts.append((role, percent(sum(shares))))
    if found.unlabeled:
        page.facts.append(("in no polygon", percent(found.unlabeled / found.pixels)))
    if found.without_image:
        page.facts.append(("without an image", many(found.without_image, "sample")))
    page.classes = [
        ClassRow(
            info.id,
            nfc(readable(info.name)),
            hex_color(colors.get(info.id, info.color)),
            info.role,
            info.pixels,
            info.share,
            info.samples,
            info.polygons,
            info.objects,
        )
        for info in found.classes
    ]
    page.remarks.append(("Colors that several classes share", _shared_colors(found)))
    page.config = _config(found)
    page.sizes = [_size(size, count) for size, count in found.sizes.items()]


def _shared_colors(found: Inspection) -> list[str]:
    lines = []
    for color in found.ambiguous_colors:
        where = f"{many(color.pixels, 'pixel')} in {many(color.samples, 'sample')}"
        told = f"{where} count as the first" if color.pixels else "no pixel is read by it"
        lines.append(f"{', '.join(color.classes)}: {told}")
    return lines


def _size(size: str, samples: int) -> SizeRow:
    width, _, height = size.partition("x")
    return SizeRow(int(width), int(height), samples)


def _rules(rules: Mapping[str, int]) -> list[tuple[str, str]]:
    return [("polygons painted by", f"{rule} ({many(n, 'sample')})") for rule, n in rules.items()]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def _config(found: Inspection) -> str:
    """Return lines that can be pasted into a training config."""
    lines = []
    if found.images:
        mean, std = (
            ", ".join(f"{value:.3f}" for value in values)
            for values in (found.images.mean, found.images.std)
        )
        lines += [f"# RGB, of {found.images.images:,} images", f"mean = [{mean}]", f"std = [{std}]"]
    if found.weights:
        lines.append(f"# in the order of the ids {', '.join(map(str, found.weights.ids))}")
        for name in ("inverse", "median", "enet"):
            weights = ", ".join(f"{value:.4g}" for value in getattr(found.weights, name))
            lines.append(f"class_weight = [{weights}]  # {name}")
    return "\n".join(lines)


def _failures(failures: Iterable[Failure], what: str, root: str) -> list[FailureRow]:
    return [
        FailureRow(f"{one.split}/{one.key}", what, one.error.replace(f"{root}/", ""))
        for one in failures
    ]


def _notes(notes: Mapping[str, Tally]) -> list[NoteRow]:
    rows = []
    for code, tally in notes.items():
        named = [f"{clipped(subject, 80)} ({count:,})" for subject, count in tally.subjects.items()]
        more = len(named) - SUBJECTS
        subjects = ", ".join(named[:SUBJECTS]) + (f" and {more:,} more" if more > 0 else "")
        rows.append(NoteRow(code, tally.count, tally.samples, subjects))
    return rows


def _splits(splits: Mapping[str, int]) -> list[SplitRow]:
    total = max(sum(splits.values()), 1)
    return [SplitRow(split, count, count / total) for split, count in splits.items()]
