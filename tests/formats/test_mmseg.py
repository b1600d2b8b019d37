"""MMSegmentation's layouts and code, against the listing and loading rules of 0.30 and 1.2."""

import io
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import segfmt
from aihub_files import write_image
from mask_files import read_png, write_png
from segfmt import ClassInfo, ClassTable, FormatError, Mask, Sample, SampleRef, UsageError
from segfmt.formats.mmseg import MmsegReader, MmsegWriter, detect
from segfmt.tables import NO_TABLE, TABLES

SHAPE = (12, 16)
IDS = np.zeros(SHAPE, np.uint8)
IDS[2:6, 2:8] = 1
IDS[6:9, 2:8] = 2
IDS[9:10, 2:8] = 255
NASTY = ["땅 '이름'", 'say "hi"\\n', "{{ fileDirname }}", "__import__('os').abort()", "a\nb"]
HOSTILE = ClassTable(
    [
        ClassInfo(255, "ignore", (224, 224, 192), "ignore"),
        *(ClassInfo(id, name, (id, 2, 3)) for id, name in enumerate(NASTY, start=1)),
        ClassInfo(0, "배경", (0, 0, 0), "background"),
    ]
)


def source(root: Path, lists: dict[str, list[str]], suffix: str = ".png") -> Path:
    """Write a dataset in the seed layout, its classes those of the satellite table."""
    for split, keys in lists.items():
        for key in keys:
            write_image(root / "images" / f"{key}{suffix}")
            write_png(root / "labels" / f"{key}.png", IDS)
        path = root / "splits" / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key}\n" for key in keys))
    (root / "classes.json").write_bytes(TABLES["satellite"].with_ignore().to_json())
    return root


def convert(root: Path, out: Path, images: str | None = None, **options: Any) -> segfmt.Report:
    return segfmt.convert(
        root, out, source="mmseg", target="mmseg", images=images, writer_options=options
    )


def files(root: Path) -> set[str]:
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != ".segfmt"}


class BaseSegDataset:
    """What `BaseSegDataset` of MMSegmentation 1.2.2 lists, and how `LoadAnnotations` reads."""

    METAINFO: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        ann_file: str = "",
        img_suffix: str = ".jpg",
        seg_map_suffix: str = ".png",
        data_root: str = "",
        data_prefix: Any = None,
        reduce_zero_label: bool = False,
        pipeline: Any = (),
    ) -> None:
        self.img_suffix = img_suffix
        self.reduce_zero_label = reduce_zero_label
        images = Path(data_root, data_prefix["img_path"])
        masks = Path(data_root, data_prefix["seg_map_path"])
        if ann_file:
            lines = Path(data_root, ann_file).read_bytes().decode().split("\n")
            stems = [line.strip() for line in lines[: -1 if lines[-1] == "" else None]]
        else:
            found = (path for path in images.rglob("*") if path.name.endswith(img_suffix))
            stems = sorted(
                path.relative_to(images).as_posix()[: -len(img_suffix)] for path in found
            )
        self.pairs = [
            (images / f"{stem}{img_suffix}", masks / f"{stem}{seg_map_suffix}") for stem in stems
        ]

    def load(self, index: int) -> npt.NDArray[np.uint8]:
        data = self.pairs[index][1].read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            label = np.array(image).squeeze().astype(np.uint8)
        if self.reduce_zero_label:
            label[label == 0] = 255
            label = label - 1
            label[label == 254] = 255
        return label


class CustomDataset(BaseSegDataset):
    """What `CustomDataset` of 0.30.0 lists; without a split it replaces the suffix anywhere."""

    def __init__(
        self,
        pipeline: Any,
        img_dir: str,
        ann_dir: str,
        split: str | None = None,
        data_root: str = "",
        img_suffix: str = ".jpg",
        seg_map_suffix: str = ".png",
        reduce_zero_label: bool = False,
    ) -> None:
        prefix = {"img_path": img_dir, "seg_map_path": ann_dir}
        super().__init__(
            split or "", img_suffix, seg_map_suffix, data_root, prefix, reduce_zero_label
        )
        if split is None:
            images, masks = Path(data_root, img_dir), Path(data_root, ann_dir)
            names = [image.relative_to(images).as_posix() for image, _ in self.pairs]
            self.pairs = [
                (images / name, masks / name.replace(img_suffix, seg_map_suffix)) for name in names
            ]


class Datasets(dict[str, type]):
    def register_module(self) -> Any:
        def register(cls: type) -> type:
            self[cls.__name__] = cls
            return cls

        return register


def loaded(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, dict[str, type]]:
    """Run config.py and the dataset.py that it imports as MMSegmentation would."""
    found = Datasets()
    modules = {
        "mmseg.datasets": {"BaseSegDataset": BaseSegDataset},
        "mmseg.registry": {"DATASETS": found},
        "mmseg.datasets.builder": {"DATASETS": found},
        "mmseg.datasets.custom": {"CustomDataset": CustomDataset},
    }
    monkeypatch.setitem(sys.modules, "mmseg", ModuleType("mmseg"))
    for name, values in modules.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", [*sys.path])
    text = (root / "config.py").read_text(encoding="utf-8")
    config: dict[str, Any] = {}
    exec(compile(text.replace("{{ fileDirname }}", root.as_posix()), "config.py", "exec"), config)
    assert sys.path[0] == root.as_posix()
    assert config["custom_imports"] == {"imports": ["dataset"], "allow_failed_imports": False}
    code = (root / "dataset.py").read_text(encoding="utf-8")
    exec(compile(code, "dataset.py", "exec"), {"__name__": "dataset"})
    del config["__builtins__"]
    return SimpleNamespace(**config), found


def built(config: dict[str, Any], found: dict[str, type]) -> Any:
    """Make what a config's dict describes, as registries do."""
    values = dict(config)
    return found[values.pop("type")](**values)


def test_the_seed_layout(tmp_path: Path) -> None:
    root = source(tmp_path / "src", {"train": ["b", "sub/a"], "val": ["c"]})
    convert(root, tmp_path / "dst")
    dst = tmp_path / "dst"
    assert files(dst) == {
        *("images/b.png", "images/c.png", "images/sub/a.png"),
        *("labels/b.png", "labels/c.png", "labels/sub/a.png"),
        *("splits/train.txt", "splits/val.txt"),
        *("classes.json", "config.py", "dataset.py"),
    }
    assert (dst / "splits" / "train.txt").read_bytes() == b"b\nsub/a\n"
    assert (dst / "splits" / "val.txt").read_bytes() == b"c\n"
    assert (read_png(dst / "labels" / "b.png") == IDS).all()
    assert (dst / "images" / "b.png").read_bytes() == (root / "images" / "b.png").read_bytes()


def test_the_official_layout(tmp_path: Path) -> None:
    root = source(tmp_path / "src", {"train": ["b", "sub/a"], "val": ["c"]}, ".jpg")
    convert(root, tmp_path / "dst", layout="official")
    assert files(tmp_path / "dst") == {
        *("img_dir/train/b.jpg", "img_dir/train/sub/a.jpg", "img_dir/val/c.jpg"),
        *("ann_dir/train/b.png", "ann_dir/train/sub/a.png", "ann_dir/val/c.png"),
        *("classes.json", "config.py", "dataset.py"),
    }


@pytest.mark.parametrize("palette", [False, True])
def test_masks_hold_ids_with_or_without_a_palette(tmp_path: Path, palette: bool) -> None:
    convert(source(tmp_path / "src", {"train": ["a"]}), tmp_path / "dst", palette=palette)
    with Image.open(tmp_path / "dst" / "labels" / "a.png") as mask:
        assert mask.mode == ("P" if palette else "L")
        assert (np.asarray(mask) == IDS).all()
        if palette:
            assert mask.getpalette()[:9] == [0, 0, 0, 128, 128, 0, 128, 64, 128]


@pytest.mark.parametrize("layout", ["seed", "official"])
@pytest.mark.parametrize("version", [1, 0])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_mmsegmentation_finds_and_reads_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, version: int, suffix: str
) -> None:
    lists = {"train": ["b", "sub/a", "점.b"], "val": ["c"]}
    root = source(tmp_path / "src", lists, suffix)
    convert(root, tmp_path / "dst", layout=layout, version=version)
    config, found = loaded(tmp_path / "dst", monkeypatch)
    assert config.num_classes == 3
    assert config.data_root == (tmp_path / "dst").as_posix()
    for purpose, split in (("train", "train"), ("val", "val"), ("test", "val")):
        if version == 1:
            described = getattr(config, f"{purpose}_dataloader")["dataset"]
        else:
            described = config.data[purpose]
        dataset = built(described, found)
        base = tmp_path / "dst" / ("images" if layout == "seed" else f"img_dir/{split}")
        assert [image for image, _ in dataset.pairs] == [
            base / f"{key}{suffix}" for key in sorted(lists[split])
        ]
        for index, (image, _) in enumerate(dataset.pairs):
            assert image.is_file()
            assert (dataset.load(index) == IDS).all()
        assert dataset.reduce_zero_label is False


@pytest.mark.parametrize("version", [1, 0])
def test_the_class_has_names_and_colors_in_the_order_of_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    writer = MmsegWriter(tmp_path, HOSTILE, version=version, name="Mine")
    image = write_image(tmp_path / "x.jpg")
    writer.finish([writer.write(Sample(SampleRef("a", image=image), SHAPE, Mask(IDS)))])
    config, found = loaded(tmp_path, monkeypatch)
    cls: Any = found["Mine"]
    assert list(found) == [config.dataset_type] == ["Mine"]
    assert issubclass(cls, BaseSegDataset if version == 1 else CustomDataset)
    names, colors = cls.CLASSES, cls.PALETTE
    assert names == ("배경", *NASTY)
    assert colors == [[0, 0, 0], *([id, 2, 3] for id in range(1, 6))]
    assert config.num_classes == 6
    if version == 1:
        metainfo = cls.METAINFO
        assert metainfo == {"classes": names, "palette": colors}
    # Configs are templates, so nothing that comes from data may stand in them.
    text = (tmp_path / "config.py").read_text(encoding="utf-8")
    assert text.count("{{") == 1
    assert not any(name in text for name in ("배경", "say", "abort"))


def test_the_dataset_that_the_satellite_note_registers_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its SIADataset: classes and palette as here, images/*.png, labels/*.png, splits/*.txt.
    writer = MmsegWriter(tmp_path, TABLES["satellite"], version=0, name="SIADataset")
    image = write_image(tmp_path / "x.png")
    ref = SampleRef("BLD01552_PS3_K3A_NIA0373", "train", image)
    writer.finish([writer.write(Sample(ref, SHAPE, Mask(IDS)))])
    config, found = loaded(tmp_path, monkeypatch)
    cls: Any = found["SIADataset"]
    classes, palette = cls.CLASSES, cls.PALETTE
    assert classes == ("background", "building", "road")
    assert palette == [[0, 0, 0], [128, 128, 0], [128, 64, 128]]
    train = config.data["train"]
    assert (train["img_dir"], train["ann_dir"]) == ("images", "labels")
    assert (train["split"], train["img_suffix"]) == ("splits/train.txt", ".png")
    lines = (tmp_path / "splits" / "train.txt").read_text().splitlines()
    assert lines == ["BLD01552_PS3_K3A_NIA0373"]


def test_a_config_has_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    convert(source(tmp_path / "a", {"train": ["a"]}), tmp_path / "train")
    config, _ = loaded(tmp_path / "train", monkeypatch)
    assert not hasattr(config, "val_dataloader")
    assert not hasattr(config, "test_dataloader")
    root = source(tmp_path / "b", {"val": ["a"], "test": ["b"], "extra": ["c"]})
    convert(root, tmp_path / "rest")
    config, _ = loaded(tmp_path / "rest", monkeypatch)
    assert not hasattr(config, "train_dataloader")
    assert config.test_dataloader["dataset"]["ann_file"] == "splits/test.txt"
    assert (tmp_path / "rest" / "splits" / "extra.txt").read_text() == "c\n"


@pytest.mark.parametrize("layout", ["seed", "official"])
@pytest.mark.parametrize("version", [1, 0])
def test_images_of_two_suffixes_are_two_datasets_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, version: int
) -> None:
    root = source(tmp_path / "src", {"train": ["c"], "val": ["d"]}, ".JPG")
    source(root, {"train": ["a", "b", "c"]})
    (root / "images" / "c.png").unlink()
    convert(root, tmp_path / "dst", layout=layout, version=version)
    config, found = loaded(tmp_path / "dst", monkeypatch)
    parts = config.train_dataset
    if version == 1:
        assert parts["type"] == "ConcatDataset"
        parts = parts["datasets"]
    pairs = [pair for part in parts for pair in built(part, found).pairs]
    assert [image.name for image, _ in pairs] == ["c.jpg", "a.png", "b.png"]
    assert all(image.is_file() and mask.is_file() for image, mask in pairs)
    assert [image.name for image, _ in built(config.val_dataset, found).pairs] == ["d.jpg"]
    # The lists of the parts are no splits.
    assert refs(tmp_path / "dst") == [
        ("train", "a", "a.png"),
        ("train", "b", "b.png"),
        ("train", "c", "c.jpg"),
        ("val", "d", "d.jpg"),
    ]


def test_images_of_one_suffix_on_request(tmp_path: Path) -> None:
    root = source(tmp_path / "src", {"train": ["a", "b"]})
    source(root, {"val": ["c"]}, ".JPG")
    report = convert(root, tmp_path / "png", image_suffix=".png")
    assert report.notes["images re-encoded"].subjects == {"JPEG to PNG": 1}
    assert {"images/a.png", "images/c.png"} <= files(tmp_path / "png")
    report = convert(root, tmp_path / "jpg", image_suffix=".jpg")
    assert report.notes["images re-encoded"].subjects == {"PNG to JPEG (lossy)": 2}


def test_one_name_in_two_splits_is_told_and_can_be_kept_apart(tmp_path: Path) -> None:
    root = source(tmp_path / "src", {"train": ["a"], "val": ["a"]})
    with pytest.raises(FormatError, match=r'"a" is in the splits train and val.*layout=official'):
        convert(root, tmp_path / "dst")
    convert(root, tmp_path / "official", layout="official")
    assert refs(tmp_path / "official") == [("train", "a", "a.png"), ("val", "a", "a.png")]


def test_without_images_the_suffix_must_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = source(tmp_path / "src", {"train": ["a"]})
    with pytest.raises(UsageError, match=r"give -o image_suffix=\.jpg or \.png"):
        convert(root, tmp_path / "dst", images="none")
    convert(root, tmp_path / "dst", images="none", image_suffix=".jpg")
    assert not (tmp_path / "dst" / "images").exists()
    config, _ = loaded(tmp_path / "dst", monkeypatch)
    assert config.train_dataloader["dataset"]["img_suffix"] == ".jpg"


def test_a_label_without_an_image_is_in_no_list(tmp_path: Path) -> None:
    root = source(tmp_path / "src", {"train": ["a", "b"]})
    (root / "images" / "b.png").unlink()
    report = segfmt.convert(
        root, tmp_path / "dst", source="mmseg", target="mmseg", missing_image="keep"
    )
    assert report.notes["in no list: image missing"].subjects == {"train/b": 1}
    assert (tmp_path / "dst" / "splits" / "train.txt").read_text() == "a\n"


def test_ids_with_gaps_are_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'--classes "소형 시설=1,.*Motorway=8,') as caught:
        MmsegWriter(tmp_path, TABLES["satellite-fine"])
    assert "wants ids from 0 without gaps" in str(caught.value)
    names = str(caught.value).split('"')[1]
    pairs = [pair.rpartition("=") for pair in names.split(",")]
    table = ClassTable(
        [ClassInfo(0, "b", role="background")] + [ClassInfo(int(id), name) for name, _, id in pairs]
    )
    assert MmsegWriter(tmp_path, table).classes == table


def test_ignore_becomes_255(tmp_path: Path) -> None:
    table = ClassTable([ClassInfo(0, "sky"), ClassInfo(1, "void", role="ignore")])
    assert MmsegWriter(tmp_path, table).classes.ignore.id == 255


@pytest.mark.parametrize(
    ("layout", "key", "problem"),
    [
        ("seed", " a", "begins or ends with a blank"),
        ("seed", "a ", "begins or ends with a blank"),
        ("seed", "a.png.b", ""),
        ("official", "a.png.b", r"has \"\.png\" in it"),
        ("official", "a.jpg.b", ""),
        ("seed", "a b", ""),
    ],
)
def test_names_that_it_would_not_find_again_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Any, key: str, problem: str
) -> None:
    writer = MmsegWriter(tmp_path / "dst", TABLES["satellite"], layout=layout, version=0)
    sample = Sample(SampleRef(key, image=write_image(tmp_path / "x.png")), SHAPE, Mask(IDS))
    if problem:
        with pytest.raises(FormatError, match=problem):
            writer.write(sample)
        assert not (tmp_path / "dst").exists()
    else:
        writer.finish([writer.write(sample)])
        config, found = loaded(tmp_path / "dst", monkeypatch)
        ((image, mask),) = built(config.data["train"], found).pairs
        assert image.is_file()
        assert mask.is_file()


@pytest.mark.parametrize("name", ["1st", "a b", "class", "x:\n    pass"])
def test_the_name_of_the_class_must_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a class"):
        MmsegWriter(tmp_path, TABLES["satellite"], name=name)


def refs(root: Path, **options: Any) -> list[tuple[str, str, str | None]]:
    return [
        (ref.split, ref.key, ref.image and ref.image.name)
        for ref in MmsegReader(root, **options).scan()
    ]


def test_the_seed_layout_is_read(tmp_path: Path) -> None:
    root = source(tmp_path, {"train": ["b", "sub/a"], "val": ["c"]})
    assert refs(root) == [
        ("train", "b", "b.png"),
        ("train", "sub/a", "a.png"),
        ("val", "c", "c.png"),
    ]
    for sample in segfmt.open_dataset(root, "mmseg"):
        assert (sample.label.ids == IDS).all()
    reader = MmsegReader(root)
    assert reader.classes == TABLES["satellite"].with_ignore()
    assert reader.warnings == ()
    assert detect(root) == "there are folders images, labels and splits"


def test_lists_as_other_systems_save_them(tmp_path: Path) -> None:
    root = source(tmp_path, {"train": ["a", "sub/b"]})
    (root / "splits" / "train.txt").write_bytes(b"\xef\xbb\xbf a \r\n\r\nsub\\b")
    assert [key for _, key, _ in refs(root)] == ["a", "sub/b"]


@pytest.mark.parametrize("folders", [("img_dir", "ann_dir"), ("images", "annotations")])
def test_folders_give_splits_without_lists(tmp_path: Path, folders: tuple[str, str]) -> None:
    for name in ("training/a", "validation/sub/b", "c"):
        write_image(tmp_path / folders[0] / f"{name}.jpg")
        write_png(tmp_path / folders[1] / f"{name}.png", IDS)
    assert refs(tmp_path) == [
        ("train", "c", "c.jpg"),
        ("train", "a", "a.jpg"),
        ("val", "sub/b", "b.jpg"),
    ]
    assert (detect(tmp_path) is None) == (folders[0] == "images")


def test_suffixes_are_found_by_the_lists_or_told(tmp_path: Path) -> None:
    for key in ("00", "01"):
        write_image(tmp_path / "imgs" / f"{key}_img.jpg")
        write_png(tmp_path / "gts" / f"{key}_gt.png", IDS)
        write_png(tmp_path / "gts" / f"{key}_gt_color.png", IDS)
    given = {"img_suffix": "_img.jpg", "seg_map_suffix": "_gt.png"}
    expected = [("train", "00", "00_img.jpg"), ("train", "01", "01_img.jpg")]
    assert refs(tmp_path, **given) == expected
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "train.txt").write_text("00\n01\n")
    assert refs(tmp_path) == refs(tmp_path, **given) == expected
    (first, _) = MmsegReader(tmp_path).scan()
    assert first.source.name == "00_gt.png"


def test_folders_can_be_told(tmp_path: Path) -> None:
    write_image(tmp_path / "x" / "rgb" / "a.png")
    write_png(tmp_path / "seg" / "a.png", IDS)
    assert refs(tmp_path, img_dir="x/rgb", ann_dir="seg") == [("train", "a", "a.png")]
    assert refs(tmp_path) == []


def test_zero_is_reduced_as_its_loader_does_it(tmp_path: Path) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_png(tmp_path / "ann_dir" / "a.png", values)
    write_image(tmp_path / "img_dir" / "a.png", (16, 16))
    reader = MmsegReader(tmp_path, reduce_zero_label=True)
    (ref,) = reader.scan()
    prefix = {"img_path": "img_dir", "seg_map_path": "ann_dir"}
    theirs = BaseSegDataset("", ".png", ".png", str(tmp_path), prefix, reduce_zero_label=True)
    assert (reader.load(ref).label.ids == theirs.load(0)).all()
    # Without a table 0 is a class like any other then; a given one is of the classes after it.
    assert reader.classes.background is None
    assert reader.classes.by_id(0).name == "class_0"
    assert MmsegReader(tmp_path).classes.background.id == 0
    given = MmsegReader(tmp_path, reduce_zero_label=True, table="satellite").classes
    assert given == TABLES["satellite"].with_ignore()
    (tmp_path / "classes.json").write_bytes(TABLES["satellite"].to_json())
    assert MmsegReader(tmp_path, reduce_zero_label=True).classes == given
    assert MmsegReader(tmp_path).classes == TABLES["satellite"]  # which says all there is


def test_a_missing_mask_fails_and_a_test_list_is_left_out(tmp_path: Path) -> None:
    root = source(tmp_path / "src", {"train": ["a", "b"], "test": ["x"]})
    (root / "labels" / "b.png").unlink()
    (root / "labels" / "x.png").rename(root / "labels" / "y.png")
    reader = MmsegReader(root)
    assert reader.warnings == (
        "test.txt is left out: none of its 1 samples has a mask",
        "masks in no list are left out: 1, such as y",
    )
    report = convert(root, tmp_path / "dst")
    assert (report.done, report.failed) == (1, 1)
    assert report.failures[0].error.endswith('train.txt, line 2: names "b", which has no mask')


def test_masks_that_hold_no_ids_fail(tmp_path: Path) -> None:
    root = source(tmp_path, {"train": ["color", "deep", "wide"]})
    write_png(root / "labels" / "color.png", np.dstack([IDS] * 3))
    write_png(root / "labels" / "deep.png", IDS.astype(np.uint16))
    write_image(root / "images" / "wide.png", (17, 12))
    reader = MmsegReader(root)
    problems = ["its mode is RGB", "its mode is I;16", "its image 17 x 12"]
    for ref, problem in zip(reader.scan(), problems, strict=True):
        with pytest.raises(FormatError, match=problem):
            reader.load(ref)


def test_without_a_table_classes_have_no_names(tmp_path: Path) -> None:
    root = source(tmp_path, {"train": ["a"]})
    (root / "classes.json").unlink()
    reader = MmsegReader(root)
    assert reader.classes.by_id(7).name == "class_7"
    assert reader.warnings == (NO_TABLE,)


def test_detection_keeps_to_mmsegmentation(tmp_path: Path) -> None:
    for name in ("images", "labels", "splits"):
        (tmp_path / name).mkdir()
    assert detect(tmp_path) is None
    (tmp_path / "splits" / "train.txt").write_text("")
    assert detect(tmp_path) == "there are folders images, labels and splits"


@pytest.mark.parametrize("layout", ["seed", "official"])
def test_what_is_written_is_read_again(tmp_path: Path, layout: str) -> None:
    root = source(tmp_path / "src", {"train": ["a", "sub/b"], "val": ["c"]})
    convert(root, tmp_path / "dst", layout=layout)
    assert refs(tmp_path / "dst") == refs(root)
    assert MmsegReader(tmp_path / "dst").classes == MmsegReader(root).classes


@pytest.mark.skipif("SEGFMT_REAL_DATA" not in os.environ, reason="SEGFMT_REAL_DATA names no folder")
def test_the_dataset_of_mmsegmentations_own_tests() -> None:
    root = Path(os.environ["SEGFMT_REAL_DATA"], "mmseg", "5as4as__mmsegmentation-0.18.0")
    root = root / "tests" / "data" / "pseudo_dataset"
    samples = list(segfmt.open_dataset(root, "mmseg"))
    assert [(sample.ref.split, sample.ref.key) for sample in samples] == [
        *(("train", f"0000{number}") for number in range(4)),
        ("val", "00004"),
    ]
    assert {int(sample.label.ids.max()) for sample in samples} <= set(range(8))
