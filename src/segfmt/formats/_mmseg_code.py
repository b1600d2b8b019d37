"""The Python that tells MMSegmentation of a dataset: a class with its classes, and a config.

Names out of the data get into code as `repr` writes them, and into `dataset.py` alone: configs are
templates, in which `{{ ... }}` is replaced before Python sees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Literal

from segfmt.classes import ClassInfo, ClassTable

Layout = Literal["seed", "official"]
Version = Literal[1, 0]
Suffixes = Mapping[str, Sequence[str]]


def folders_of(layout: Layout, split: str) -> tuple[str, str]:
    """Return where the images and the masks of a split are below the root."""
    if layout == "seed":
        return "images", "labels"
    return f"img_dir/{split}", f"ann_dir/{split}"


def split_list(split: str, suffix: str = "") -> str:
    """Return where the list of a split is, or of those of its images that have this suffix."""
    return f"splits/{suffix.lstrip('.')}/{split}.txt" if suffix else f"splits/{split}.txt"


_IMPORTS = {
    1: """\
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS
""",
    0: """\
from mmseg.datasets.builder import DATASETS
from mmseg.datasets.custom import CustomDataset
""",
}
_CLASS = '''\
"""The dataset in this folder, for MMSegmentation {version}.x."""

{imports}

@DATASETS.register_module()
class {name}({base}):
    """{count} classes; 255 is ignored."""

{table}

    def __init__(
        self, img_suffix="{suffix}", seg_map_suffix=".png", reduce_zero_label=False, **kwargs
    ):
        super().__init__(
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            reduce_zero_label=reduce_zero_label,
            **kwargs,
        )
'''
_HEAD = """\
# MMSegmentation {version}.x: name this file in `_base_`, and set the heads' `num_classes`.
data_root = "{{{{ fileDirname }}}}"
__import__("sys").path.insert(0, data_root)  # where dataset.py is
custom_imports = dict(imports=["dataset"], allow_failed_imports=False)
dataset_type = "{name}"
num_classes = {count}
crop_size = (512, 512)
"""
_PIPELINES = {
    1: """\
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=0.75),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="PackSegInputs"),
]
""",
    0: """\
img_norm_cfg = dict(
    mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
)
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=0.75),
    dict(type="RandomFlip", prob=0.5),
    dict(type="Normalize", **img_norm_cfg),
    dict(type="Pad", size=crop_size, pad_val=0, seg_pad_val=255),
    dict(type="DefaultFormatBundle"),
    dict(type="Collect", keys=["img", "gt_semantic_seg"]),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="MultiScaleFlipAug",
        img_scale=None,
        img_ratios=[1.0],
        flip=False,
        transforms=[
            dict(type="Normalize", **img_norm_cfg),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="Collect", keys=["img"]),
        ],
    ),
]
""",
}
_DATASET = {
    1: """\
dict(
    type=dataset_type,
    data_root=data_root,
    ann_file={list},
    data_prefix=dict(img_path={images}, seg_map_path={masks}),
    img_suffix={suffix},
    seg_map_suffix=".png",
    reduce_zero_label=False,
    pipeline={pipeline}_pipeline,
)""",
    0: """\
dict(
    type=dataset_type,
    data_root=data_root,
    img_dir={images},
    ann_dir={masks},
    split={list},
    img_suffix={suffix},
    seg_map_suffix=".png",
    reduce_zero_label=False,
    pipeline={pipeline}_pipeline,
)""",
}
_DATA = """\
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
{datasets})
evaluation = dict(interval=4000, metric="mIoU")
"""
_LOADERS = {
    "train": """\
train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=train_dataset,
)
""",
    "val": """\
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=val_dataset,
)
val_evaluator = dict(type="IoUMetric", iou_metrics=["mIoU"])
""",
    "test": """\
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=test_dataset,
)
test_evaluator = dict(type="IoUMetric", iou_metrics=["mIoU"])
""",
}


@dataclass(frozen=True, slots=True)
class Code:
    """Writes the code of a dataset; `suffixes` are those of the images of each split."""

    name: str
    classes: ClassTable
    version: Version
    layout: Layout

    def dataset(self, suffixes: Suffixes) -> str:
        """Return a module that registers a dataset class with names and colors in order of id."""
        names = "".join(f"        {info.name!r},\n" for info in self._trained)
        colors = "".join(f"        {list(info.color)},\n" for info in self._trained)
        table = f"    CLASSES = (\n{names}    )\n    PALETTE = [\n{colors}    ]"
        if self.version == 1:
            table += "\n    METAINFO = dict(classes=CLASSES, palette=PALETTE)"
        return _CLASS.format(
            version=self.version,
            imports=_IMPORTS[self.version],
            name=self.name,
            base="BaseSegDataset" if self.version == 1 else "CustomDataset",
            count=len(self._trained),
            table=table,
            suffix=min((found[0] for found in suffixes.values()), default=".jpg"),
        )

    def config(self, suffixes: Suffixes) -> str:
        """Return a dataset config of what there is of train, val and test; val does for a test."""
        parts = [
            _HEAD.format(version=self.version, name=self.name, count=len(self._trained)),
            _PIPELINES[self.version],
        ]
        found = {purpose: purpose for purpose in ("train", "val", "test") if purpose in suffixes}
        if "val" in found:
            found.setdefault("test", "val")
        for purpose, split in found.items():
            code = self._described(purpose, split, suffixes[split])
            parts.append(f"{purpose}_dataset = {code}\n")
        if self.version == 1:
            parts += [_LOADERS[purpose] for purpose in found]
        else:
            datasets = "".join(f"    {purpose}={purpose}_dataset,\n" for purpose in found)
            parts.append(_DATA.format(datasets=datasets))
        return "".join(parts)

    @property
    def _trained(self) -> list[ClassInfo]:
        """The classes that a network learns, in the order of their ids."""
        kept = (info for info in self.classes if info.role != "ignore")
        return sorted(kept, key=lambda info: info.id)

    def _described(self, purpose: str, split: str, suffixes: Sequence[str]) -> str:
        images, masks = folders_of(self.layout, split)
        datasets = []
        for suffix in suffixes:
            path = split_list(split, suffix if len(suffixes) > 1 else "")
            values = {
                "images": images,
                "masks": masks,
                "list": path if self.layout == "seed" else ("" if self.version == 1 else None),
                "suffix": suffix,
            }
            code = _DATASET[self.version].format(
                **{name: repr(value) for name, value in values.items()},
                pipeline="train" if purpose == "train" else "test",
            )
            datasets.append(code)
        if len(datasets) == 1:
            return datasets[0]
        joined = indent("".join(f"{code},\n" for code in datasets), "    ")
        if self.version == 0:
            return f"[\n{joined}]"
        return f'dict(type="ConcatDataset", datasets=[\n{joined}])'
