"""The bench beside peers: its dataset, its comparison of masks, and what it says of the missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("segfmt_coco")
PEERS = Path(__file__).parents[1] / "bench" / "peers"


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PEERS))


def test_scripts_are_measured_and_their_masks_explained(tmp_path: Path) -> None:
    command = ["--peers", "pillow,opencv", "--images", "2", "--rounds", "1", "--report", "report"]
    result = subprocess.run(
        [sys.executable, str(PEERS / "run.py"), *command],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    report = json.loads((tmp_path / "report" / "peers.json").read_text(encoding="utf-8"))
    assert [row["peer"]["key"] for row in report] == ["pillow", "opencv"]
    for row in report:
        assert row["pixels"]["of"] == 2 * 1920 * 1080
        assert row["pixels"]["explained"] == 0
        # The rules differ along outlines, and nowhere else.
        assert 0 < row["pixels"]["plain"] < 0.02 * row["pixels"]["of"]
        assert row["ours"][0]["seconds"] > 0 and row["theirs"][0]["peak_mib"] > 10
    assert result.stdout == (tmp_path / "report" / "peers.md").read_text(encoding="utf-8")
    for name in ("Pillow script", "OpenCV script"):
        assert result.stdout.count(f"| {name} ") == 3
    assert max(map(len, result.stdout.splitlines())) <= 110


@pytest.mark.usefixtures("peers")
def test_what_cannot_be_installed_is_named_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import environments
    import report

    import run

    def refuse(*command: str) -> None:
        raise environments.MissingPeerError("ERROR: no such version")

    monkeypatch.setattr(environments, "_run", refuse)
    monkeypatch.setattr(run, "BUILD", tmp_path)
    results = [run.Result(peer) for peer in run.chosen("labelformat")]
    run.measured(run.Bench(tmp_path, tmp_path, tmp_path), results, 2, 1)
    text = report.markdown(results, "run.py", 2, 1)
    assert text.endswith("## Missing\n\n- labelformat: ERROR: no such version\n")


@pytest.mark.usefixtures("peers")
def test_dataset_is_as_it_is_described(tmp_path: Path) -> None:
    import make_data

    data = make_data.make_data(tmp_path / "data", 2)
    document = json.loads((data / "coco/annotations/instances_train.json").read_text())
    assert [(image["width"], image["height"]) for image in document["images"]] == [(1920, 1080)] * 2
    assert len(document["categories"]) == 19
    rings = [annotation["segmentation"][0] for annotation in document["annotations"]]
    assert len(rings) == 2 * 20
    assert all(12 <= len(ring) // 2 <= 80 for ring in rings)
    labelme = json.loads((data / "labelme" / f"{make_data.stem(0)}.json").read_text())
    assert [flat(shape["points"]) for shape in labelme["shapes"]] == rings[:20]
    (cityscapes,) = (data / "cityscapes").rglob(f"{make_data.stem(0)}_gtFine_polygons.json")
    objects = json.loads(cityscapes.read_text())["objects"]
    assert [flat(shape["polygon"]) for shape in objects] == rings[:20]


def flat(points: list[list[float]]) -> list[float]:
    return [value for point in points for value in point]
