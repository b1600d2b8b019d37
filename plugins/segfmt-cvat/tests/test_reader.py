"""Reading: where images are, what samples are called, which classes there are, and bad input."""

import tracemalloc
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cvat_files import (
    ROAD,
    SIZE,
    SKY,
    SQUARE,
    attribute,
    counts,
    document,
    image,
    label,
    one,
    only,
    polygon,
    shape,
    value,
    write,
    write_image,
)
from PIL import Image

from segfmt import ClassTable, Dataset, FormatError, SampleRef, UsageError, convert, open_dataset


def refs(root: Path, **options: Any) -> list[SampleRef]:
    return list(open_dataset(root, "cvat", **options).refs())


def places(root: Path) -> list[tuple[str, str, str]]:
    """Return split, key and image, below the root, of all samples."""
    return [
        (ref.split, ref.key, ref.image.relative_to(root).as_posix() if ref.image else "")
        for ref in refs(root)
    ]


def names(root: Path, **options: Any) -> list[tuple[int, str]]:
    return [(info.id, info.name) for info in open_dataset(root, "cvat", **options).classes]


class TestPlaces:
    def test_a_task_has_no_subset(self, tmp_path: Path) -> None:
        write(tmp_path / "annotations.xml", document(image("a.jpg"), image("s/b.png")))
        write_image(tmp_path / "images/a.jpg")
        write_image(tmp_path / "images/s/b.png")
        assert places(tmp_path) == [
            ("train", "a", "images/a.jpg"),
            ("train", "s/b", "images/s/b.png"),
        ]

    def test_a_projects_subsets_are_splits(self, tmp_path: Path) -> None:
        images = [
            image("a.jpg", subset=subset) for subset in ("Train", "Validation", "extra", "default")
        ]
        write(tmp_path / "annotations.xml", document(*images))
        for subset in ("Train", "Validation", "extra"):
            write_image(tmp_path / f"images/{subset}/a.jpg")
        assert places(tmp_path) == [
            ("train", "a", "images/Train/a.jpg"),
            ("val", "a", "images/Validation/a.jpg"),
            ("extra", "a", "images/extra/a.jpg"),
            ("train", "a", ""),  # CVAT's name for no subset
        ]

    def test_a_file_for_each_split(self, tmp_path: Path) -> None:
        for name in ("train", "val"):
            write(tmp_path / f"annotations/{name}.xml", document(image(f"{name}.jpg")))
            write_image(tmp_path / f"images/{name}/{name}.jpg")
        assert places(tmp_path) == [
            ("train", "train", "images/train/train.jpg"),
            ("val", "val", "images/val/val.jpg"),
        ]

    def test_a_file_beside_its_images_in_each_folder(self, tmp_path: Path) -> None:
        for folder in ("Surface_001", "Surface_002"):
            write(tmp_path / folder / "1.xml", document(image("a.jpg")))
            write_image(tmp_path / folder / "a.jpg")
            write_image(tmp_path / folder / "MASK/a.png")
        assert places(tmp_path) == [
            ("train", "Surface_001/a", "Surface_001/a.jpg"),
            ("train", "Surface_002/a", "Surface_002/a.jpg"),
        ]

    def test_parallel_trees_as_aihub_unpacks(self, tmp_path: Path) -> None:
        write(tmp_path / "Training/라벨링데이터/S1/x.xml", document(image("a.jpg")))
        write_image(tmp_path / "Training/원천데이터/S1/a.jpg")
        assert places(tmp_path) == [("train", "S1/a", "Training/원천데이터/S1/a.jpg")]

    def test_images_of_a_place_that_does_not_answer_are_found_by_name(self, tmp_path: Path) -> None:
        write(tmp_path / "output/x.xml", document(image("a.jpg"), image("b.jpg")))
        write_image(tmp_path / "rawdata/a.jpg")
        write_image(tmp_path / "rawdata/b.jpg")
        write_image(tmp_path / "more/b.jpg")
        assert [place[2] for place in places(tmp_path)] == ["rawdata/a.jpg", ""]

    def test_of_two_images_of_one_place_the_one_of_that_name(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(image("a.jpg"), image("b.jpg")))
        for name in ("a.jpg", "a.png", "images/b.jpg", "data/b.jpg"):
            write_image(tmp_path / name)
        assert [place[2] for place in places(tmp_path)] == ["a.jpg", ""]

    def test_names_with_backslashes_and_in_nfd(self, tmp_path: Path) -> None:
        decomposed = unicodedata.normalize("NFD", "하늘\\a.JPG")
        write(tmp_path / "x.xml", document(image(decomposed)))
        write_image(tmp_path / "하늘/a.JPG")
        assert places(tmp_path) == [("train", "하늘/a", "하늘/a.JPG")]

    def test_frames_of_a_video_have_no_extension(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(image("frame_000001"), image("v1.2_000001")))
        write_image(tmp_path / "images/frame_000001.png")
        write_image(tmp_path / "images/v1.2_000001.png")
        assert places(tmp_path) == [
            ("train", "frame_000001", "images/frame_000001.png"),
            ("train", "v1.2_000001", "images/v1.2_000001.png"),
        ]

    def test_one_name_twice_is_reported(self, tmp_path: Path) -> None:
        write(tmp_path / "src/x.xml", document(image("a.jpg", polygon()), image("a.jpg")))
        write_image(tmp_path / "src/a.jpg")
        report = convert(tmp_path / "src", tmp_path / "dst", source="cvat", target="voc")
        (failure,) = report.failures
        assert "x.xml, line 8: has the same name as" in failure.error

    @pytest.mark.parametrize(
        "name", ["../a.jpg", "/etc/a.jpg", "C:\\a.jpg", "s/../../a.jpg", "/", ".", ".."]
    )
    def test_names_that_lead_elsewhere_fail(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / "src/x.xml", document(image(name, polygon())))
        write_image(tmp_path / "a.jpg")
        report = convert(
            tmp_path / "src", tmp_path / "dst", source="cvat", target="voc", missing_image="keep"
        )
        (failure,) = report.failures
        assert "no safe name" in failure.error

    def test_an_image_without_a_name_fails_with_its_line(self, tmp_path: Path) -> None:
        write(tmp_path / "src/x.xml", document(image(""), image("a.jpg", polygon())))
        write_image(tmp_path / "src/a.jpg")
        report = convert(tmp_path / "src", tmp_path / "dst", source="cvat", target="voc")
        assert report.done == 1
        assert "x.xml, line 5: has an image without a name" in report.failures[0].error


class TestClasses:
    def test_labels_in_order_with_their_colors(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(labels=SKY + ROAD + label("bare")))
        table = open_dataset(tmp_path, "cvat").classes
        assert [(info.id, info.name, info.color, info.role) for info in table] == [
            (0, "background", (0, 0, 0), "background"),
            (1, "하늘", (70, 130, 180), "class"),
            (2, "road", (128, 64, 128), "class"),
            (3, "bare", (128, 128, 0), "class"),  # VOC's color of 3
        ]

    @pytest.mark.parametrize("above", ["project", "job", "task"])
    def test_background_and_ignore_are_told_by_name(self, tmp_path: Path, above: str) -> None:
        labels = label("Ignored") + ROAD + label("Background", more="<color>#010203</color>")
        head = f"<meta><{above}><labels>{labels}</labels></{above}></meta>"
        write(tmp_path / "x.xml", document(head=head))
        table = open_dataset(tmp_path, "cvat").classes
        assert [(info.id, info.name, info.role) for info in table] == [
            (255, "Ignored", "ignore"),
            (1, "road", "class"),
            (0, "Background", "background"),
        ]
        assert table.by_id(0).color == (1, 2, 3)

    def test_points_of_skeletons_are_no_labels(self, tmp_path: Path) -> None:
        labels = label("person") + label("elbow", more="<parent>person</parent>")
        write(tmp_path / "x.xml", document(labels=labels))
        assert names(tmp_path) == [(0, "background"), (1, "person")]

    def test_without_labels_in_the_head_those_drawn(self, tmp_path: Path) -> None:
        shapes = polygon("road", SQUARE, value("wet", "state")), polygon("sky")
        write(tmp_path / "x.xml", document(image("a.jpg", *shapes), head=""))
        dataset = open_dataset(tmp_path, "cvat")
        assert [info.name for info in dataset.classes] == ["background", "road", "sky"]
        assert dataset.reader.warnings == (
            "labels are declared in no head of x.xml: they are those drawn",
        )
        assert names(tmp_path, attributes="state")[1:] == [(1, "road/wet"), (2, "sky")]

    def test_several_files_together(self, tmp_path: Path) -> None:
        write(tmp_path / "a.xml", document(labels=ROAD + label("Car")))
        write(tmp_path / "b.xml", document(labels=label("car") + SKY))
        write(tmp_path / "c.xml", "<annotation><folder/></annotation>")
        write(tmp_path / "d.xml", "<kml/>")
        dataset = open_dataset(tmp_path, "cvat")
        assert [info.name for info in dataset.classes] == ["background", "road", "Car", "하늘"]
        assert dataset.reader.warnings == (
            'labels "Car" and "car" are taken for one',
            "XML files that are not CVAT's are left out: 2 files, such as c.xml",
        )
        assert refs(tmp_path) == []

    def test_attributes_split_labels(self, tmp_path: Path) -> None:
        labels = (
            label("road", attribute("state", "radio", ["dry", "wet"], "dry"))
            + label("car", attribute("taxi", "checkbox", default="false"))
            + label("sky")
        )
        shapes = (
            polygon("Road", SQUARE, value("wet", "state")),
            polygon("road", SQUARE, value("other", "thing")),
            polygon("car", SQUARE, value("true", "taxi")),
            polygon("sky"),
        )
        sample = one(tmp_path, *shapes, labels=labels, attributes="state, taxi")
        assert names(tmp_path, attributes="state,taxi")[1:] == [
            (1, "road/dry"),
            (2, "road/wet"),
            (3, "car/false"),
            (4, "car/true"),
            (5, "sky"),
        ]
        assert sample.label.class_ids.tolist() == [2, 1, 4, 5]
        assert names(tmp_path)[1:] == [(1, "road"), (2, "car"), (3, "sky")]

    def test_values_of_several_files_are_joined(self, tmp_path: Path) -> None:
        for name, values in (("a", ["dry", "wet"]), ("b", ["wet", "icy"])):
            labels = label("road", attribute("state", "select", values))
            write(tmp_path / f"{name}.xml", document(labels=labels))
        found = names(tmp_path, attributes="state")[1:]
        assert found == [(1, "road/dry"), (2, "road/wet"), (3, "road/icy")]

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ("weather", 'no label has an attribute "weather". There are: speed, state'),
            ("speed", '"speed" of the label "car" is free text or a number'),
        ],
    )
    def test_attributes_that_split_nothing(self, tmp_path: Path, given: str, reason: str) -> None:
        attributes = attribute("speed", "number", ["0", "100"]), attribute("state", "text")
        write(tmp_path / "x.xml", document(labels=label("car", *attributes)))
        with pytest.raises(UsageError, match=reason):
            names(tmp_path, attributes=given)

    def test_a_label_that_is_a_class_already(self, tmp_path: Path) -> None:
        labels = label("a/b") + label("a", attribute("x", "select", ["b"]))
        write(tmp_path / "x.xml", document(labels=labels))
        with pytest.raises(UsageError, match=r'labels do not make classes: .*"a/b"'):
            names(tmp_path, attributes="x")

    def test_unknown_labels_fail_and_suggest(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError) as caught:
            one(tmp_path, polygon(), polygon("raod"), polygon("raod"), shape("points", "no"))
        error = caught.value
        assert (error.path, error.where) == (tmp_path / "annotations.xml", "line 5, polygon 2")
        assert 'has labels that are no class: "raod". Did you mean "road"?' in str(error)
        assert [(note.subject, note.count) for note in error.notes] == [("raod", 2)]

    @pytest.mark.parametrize(("policy", "id"), [("ignore", 255), ("background", 0)])
    def test_unknown_labels_follow_the_policy(self, tmp_path: Path, policy: str, id: int) -> None:
        sample = one(tmp_path, polygon(), polygon("x"), polygon("x"), unknown_label=policy)
        assert sample.label.class_ids.tolist() == [1, id, id]
        assert counts(sample) == {("unknown labels", "x"): 2}

    def test_objects_are_groups_or_shapes(self, tmp_path: Path) -> None:
        groups = [("road", 40), ("road", 3), ("하늘", 3), ("road", None), ("road", 40), ("road", 0)]
        shapes = [polygon(name, group_id=group) for name, group in groups]
        assert one(tmp_path, *shapes).label.instance_ids.tolist() == [2, 1, 1, 0, 2, 0]
        each = one(tmp_path, *shapes, objects="shapes").label.instance_ids.tolist()
        assert each == [4, 3, 1, 1, 4, 2]
        assert one(tmp_path, polygon()).label.instance_ids is None


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "declared"),
        [
            ("utf-8", "utf-8"),
            ("utf-8-sig", "UTF-8"),
            ("utf-16", "utf-16"),
            ("utf-16-le", "utf-16"),
            ("utf-16-be", "utf-16"),
            ("cp949", "cp949"),
            ("cp949", "ks_c_5601-1987"),
            ("cp949", "euc-kr"),
        ],
    )
    def test_as_declared(self, tmp_path: Path, encoding: str, declared: str) -> None:
        images = image("똠방/하늘.jpg", polygon("하늘")), image("b.jpg", polygon("road"))
        path = tmp_path / "annotations.xml"
        write(path, document(*images), encoding, declared)
        write_image(tmp_path / "images/똠방/하늘.jpg")
        dataset = open_dataset(tmp_path)
        assert [info.name for info in dataset.classes] == ["background", "road", "하늘"]
        one, other = dataset.refs()
        assert (one.key, one.image) == ("똠방/하늘", tmp_path / "images/똠방/하늘.jpg")
        assert dataset.reader.load(one).label.class_ids.tolist() == [2]
        assert dataset.reader.load(other).label.points.tolist()[2] == [9, 7]

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b'<?xml version="1.0" encoding="shift_jis"?><annotations/>', "multi-byte"),
            (b'<?xml version="1.0" encoding="klingon"?><annotations/>', "klingon"),
        ],
    )
    def test_others_are_refused(self, tmp_path: Path, data: bytes, reason: str) -> None:
        (tmp_path / "x.xml").write_bytes(data)
        with pytest.raises(FormatError, match=f"encoding that is not read: .*{reason}") as caught:
            only(tmp_path)
        assert caught.value.mend == "Save it as UTF-8."

    def test_another_encoding_than_declared(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(image("a.jpg", polygon("하늘"))), "cp949", "utf-8")
        with pytest.raises(FormatError, match=r"line 4, column 88: is broken XML: not well"):
            only(tmp_path)


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha">%s]>' % "".join(  # noqa: UP031 - braces are many here
    f'<!ENTITY a{n} "{f"&a{n - 1 if n > 1 else str()};" * 10}">' for n in range(1, 10)
)


class TestAttacks:
    @pytest.mark.parametrize(
        "attack",
        [
            LAUGHS,
            f'<!DOCTYPE a [<!ENTITY a "{"x" * 50_000}">]>',
            '<!DOCTYPE a [<!ENTITY a SYSTEM "file://{secret}">]>',
            '<!DOCTYPE a [<!ENTITY % d SYSTEM "file://{secret}"> %d;]>',
            '<!DOCTYPE a SYSTEM "file://{secret}">',
            '<!DOCTYPE a PUBLIC "x" "http://127.0.0.1:9/x.dtd">',
            "<!DOCTYPE annotations>",
        ],
        ids=["laughs", "quadratic", "external", "parameter", "dtd", "network", "harmless"],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp949"])
    def test_document_types_are_refused(self, tmp_path: Path, attack: str, encoding: str) -> None:
        secret = write(tmp_path / "secret.txt", "TOP SECRET")
        text = document(image("a.jpg", polygon("&a;" * 20)), labels=label("&a;"))
        text = text.replace(
            "<annotations>", attack.replace("{secret}", str(secret)) + "<annotations>"
        )
        write(tmp_path / "src/x.xml", text, encoding)
        write_image(tmp_path / "src/a.jpg")
        report = convert(tmp_path / "src", tmp_path / "dst", source="cvat", target="voc")
        (failure,) = report.failures
        assert "x.xml, line 2: declares a document type" in failure.error
        assert "SECRET" not in report.to_json().decode()
        assert report.done == 0

    def test_entities_that_are_not_declared(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(image("a.jpg", polygon("&a;"))))
        with pytest.raises(FormatError, match="is broken XML: undefined entity"):
            only(tmp_path)

    def test_those_of_xml_itself_are_read(self, tmp_path: Path) -> None:
        labels = label("a &amp; &lt;b&gt; &#44032;")
        sample = one(tmp_path, polygon("a &amp; &lt;b&gt; &#xAC00;"), labels=labels)
        assert names(tmp_path)[1] == (1, "a & <b> 가")
        assert sample.label.class_ids.tolist() == [1]

    def test_a_class_map_of_a_file_that_is_refused_is_that_of_the_others(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path / "a.xml", document(labels=ROAD))
        bad = document(labels=SKY).replace("<annotations>", "<!DOCTYPE a><annotations>")
        write(tmp_path / "b.xml", bad)
        assert names(tmp_path) == [(0, "background"), (1, "road")]


class TestBadFiles:
    def test_a_cut_file_gives_the_images_before_the_cut(self, tmp_path: Path) -> None:
        text = document(*(image(f"{n}.jpg", polygon()) for n in range(3)))
        end = text.index('name="2.jpg"')
        write(tmp_path / "x.xml", text[:end])
        dataset = open_dataset(tmp_path, "cvat")
        *whole, rest = dataset.refs()
        assert [dataset.reader.load(ref).ref.key for ref in whole] == ["0", "1"]
        with pytest.raises(FormatError, match="is broken XML: unclosed token") as caught:
            dataset.reader.load(rest)
        assert caught.value.path == tmp_path / "x.xml"
        assert caught.value.where == "line 11, column 1"

    def test_the_rest_of_a_cut_file_is_failed_not_skipped(self, tmp_path: Path) -> None:
        write(tmp_path / "src/x.xml", document(image("a.jpg", polygon()))[:-5])
        write_image(tmp_path / "src/a.jpg")
        report = convert(tmp_path / "src", tmp_path / "dst", source="cvat", target="voc")
        assert (report.done, report.failed, report.skipped) == (1, 1, 0)
        assert "x.xml, line 8, column 1: is broken XML" in report.failures[0].error

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "is empty"),
            ("<annotations>", "line 1, column 14: is broken XML: no element found"),
            ("<annotations><image></annotations>", "column 23: is broken XML: mismatched tag"),
            ("<annotations/>junk", "is broken XML: junk after document element"),
        ],
    )
    def test_broken_files_are_told_with_line_and_column(
        self, tmp_path: Path, text: str, reason: str
    ) -> None:
        write(tmp_path / "x.xml", text)
        with pytest.raises(FormatError, match=reason):
            only(tmp_path)

    def test_video_is_told(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document('<track id="0" label="road"/>'))
        with pytest.raises(FormatError, match="line 5: is CVAT for video") as caught:
            only(tmp_path)
        assert "CVAT for images 1.1" in caught.value.mend

    @pytest.mark.parametrize("between", ["<!-- x > y -->", "stray text", "<?pi x?>", "<tag/>"])
    def test_what_stands_between_images_does_not_matter(self, tmp_path: Path, between: str) -> None:
        parts = image("a.jpg", polygon()), between, '<image name="b.jpg" width="3" height="2"/>'
        write(tmp_path / "x.xml", document(*parts, between))
        dataset = open_dataset(tmp_path, "cvat")
        one, other = (dataset.reader.load(ref) for ref in dataset.refs())
        assert (len(one.label), len(other.label), other.shape) == (1, 0, (2, 3))

    def test_a_file_that_has_changed_since(self, tmp_path: Path) -> None:
        path = write(tmp_path / "x.xml", document(image("a.jpg", polygon())))
        dataset = open_dataset(tmp_path, "cvat")
        (ref,) = dataset.refs()
        write(path, document(image("before.jpg"), image("a.jpg", polygon())))
        with pytest.raises(FormatError, match="line 5: has changed since it was listed"):
            dataset.reader.load(ref)

    def test_elements_in_elements_without_end(self, tmp_path: Path) -> None:
        deep = "<a>" * 100_000 + "</a>" * 100_000
        write(tmp_path / "x.xml", document(image("a.jpg", polygon(), deep)))
        assert len(only(tmp_path).label) == 1

    def test_a_large_file_is_streamed(self, tmp_path: Path) -> None:
        points = ";".join(["100.25,200.50"] * 60)
        images = (image(f"{n}.jpg", *[polygon(points=points)] * 5) for n in range(1500))
        path = write(tmp_path / "x.xml", document(*images))
        assert path.stat().st_size > 6_000_000
        dataset = open_dataset(tmp_path, "cvat")
        tracemalloc.start()
        assert sum(1 for _ in dataset.refs()) == 1500
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1_000_000


class TestBadShapes:
    @pytest.mark.parametrize(
        ("bad", "where", "reason"),
        [
            ({"points": "1,2;3;4,5"}, ", points", 'point 2 is "3", not x,y'),
            ({"points": "1,2;x,3;4,5"}, ", points", 'point 2 is "x,3", not x,y'),
            ({"points": "1,2;3,nan;4,5"}, ", points", 'point 2 is "3,nan", not x,y'),
            ({"points": "1,2;3,inf;4,5"}, ", points", 'point 2 is "3,inf", not x,y'),
            ({"points": "1,2,3;4,5;6,7"}, ", points", 'point 1 is "1,2,3", not x,y'),
            ({"points": "1;2,3,4;5,6"}, r", points\[0\]", "has a point of 1 values"),
            ({"points": "1,2;;4,5"}, ", points", 'point 2 is "", not x,y'),
            ({"z_order": "top"}, "", 'z_order is "top", no number'),
            ({"group_id": "a"}, "", 'group_id is "a", no number'),
        ],
    )
    def test_polygons(self, tmp_path: Path, bad: dict[str, str], where: str, reason: str) -> None:
        given = {"points": SQUARE, **bad}
        with pytest.raises(FormatError, match=f"line 5, polygon 2{where}: {reason}"):
            one(tmp_path, polygon(), shape("polygon", **given))

    @pytest.mark.parametrize("points", ["1,1;4,1;4,4;", " 1.,+1 ; 4.0,1e0;4,.4e1 ", "1,1;4,1;4,4"])
    def test_numbers_as_python_reads_them(self, tmp_path: Path, points: str) -> None:
        assert one(tmp_path, polygon(points=points)).label.points.tolist() == [
            [1, 1],
            [4, 1],
            [4, 4],
        ]

    @pytest.mark.parametrize("points", ["", "1,1", "1,1;4,4", None])
    def test_fewer_than_three_points_are_dropped(self, tmp_path: Path, points: str | None) -> None:
        sample = one(tmp_path, shape("polygon", points=points), polygon())
        assert len(sample.label) == 1
        assert counts(sample) == {("polygons dropped: under 3 points", "road"): 1}

    @pytest.mark.parametrize(
        ("tag", "given", "reason"),
        [
            ("box", {"xtl": 1, "ytl": 1, "xbr": 3}, "line 5, box 1: ybr is missing"),
            ("box", {"xtl": "a", "ytl": 1, "xbr": 3, "ybr": 3}, 'xtl is "a", no number'),
            ("ellipse", {"cx": 1, "cy": 1, "rx": 3}, "line 5, ellipse 1: ry is missing"),
            ("ellipse", {"cx": 1, "cy": 1, "rx": -3, "ry": 1}, "cannot be drawn"),
            ("ellipse", {"cx": 1e9, "cy": 1, "rx": 3, "ry": 1}, "cannot be drawn"),
        ],
    )
    def test_boxes_and_ellipses(
        self, tmp_path: Path, tag: str, given: dict[str, Any], reason: str
    ) -> None:
        with pytest.raises(FormatError, match=reason):
            one(tmp_path, shape(tag, **given))

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({"rle": "1, 2"}, "line 5, mask 1, rle 0: .*sum"),
            ({"rle": "1, x"}, "line 5, mask 1, rle: is no list of run lengths"),
            ({"rle": "-1, 7"}, "line 5, mask 1, rle: is no list of run lengths"),
            ({"rle": "1.5, 4.5"}, "is no list of run lengths"),
            ({"rle": "99999999999999999999, 1"}, "is no list of run lengths"),
            ({"rle": "6", "left": 15}, "covers 2 x 3 at 15, 0, beyond the image of 16 x 12"),
            ({"rle": "6", "top": -1}, "covers 2 x 3 at 0, -1, beyond"),
            ({"rle": "0", "width": 0}, "covers 0 x 3 at 0, 0, beyond"),
            ({"rle": "9" * 12, "width": "9" * 6, "height": "9" * 6}, "beyond the image"),
        ],
    )
    def test_masks(self, tmp_path: Path, given: dict[str, Any], reason: str) -> None:
        box = {"left": 0, "top": 0, "width": 2, "height": 3}
        with pytest.raises(FormatError, match=reason):
            one(tmp_path, shape("mask", **{**box, **given}))

    def test_what_covers_no_area_is_left_out_and_counted(self, tmp_path: Path) -> None:
        line = shape("polyline", points="1,1;5,5")
        skeleton = '<skeleton label="person"><points label="a" points="1,1"/></skeleton>'
        others = line, line, shape("points", points="1,1"), shape("cuboid"), skeleton, "<tag/>"
        sample = one(tmp_path, *others, polygon())
        assert len(sample.label) == 1
        what = "shapes left out: they cover no area"
        assert counts(sample) == {
            (what, "polyline"): 2,
            (what, "points"): 1,
            (what, "cuboid"): 1,
            (what, "skeleton"): 1,
            (what, "tag"): 1,
        }

    def test_a_point_beyond_the_rule_names_the_file(self, tmp_path: Path) -> None:
        write(tmp_path / "src/x.xml", document(image("a.jpg", polygon(points="1,1;9e9,1;4,4"))))
        write_image(tmp_path / "src/a.jpg")
        report = convert(tmp_path / "src", tmp_path / "dst", source="cvat", target="voc")
        assert "polygon 0" in report.failures[0].error


class TestSizes:
    @pytest.mark.parametrize("size", [(12, 17), (0, 16), (-3, 4)])
    def test_the_image_is_the_truth_about_its_size(
        self, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        write(tmp_path / "x.xml", document(image("x.jpg", polygon(), size=size)))
        write_image(tmp_path / "x.jpg")
        sample = only(tmp_path)
        assert sample.shape == SIZE
        ((code, subject),) = counts(sample)
        assert code == "sizes taken from the image"
        assert subject.endswith("image 16 x 12")

    def test_shapes_of_an_image_of_another_size_are_refused(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(image("x.jpg", polygon(), size=(24, 32))))
        write_image(tmp_path / "x.jpg")
        with pytest.raises(FormatError, match=r"x.xml, line 5: is said to be 32 x 24, but .*x.jpg"):
            only(tmp_path)

    def test_an_image_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(image("x.jpg", polygon())))
        (tmp_path / "x.jpg").write_bytes(b"")
        with pytest.raises(FormatError, match=r"x\.jpg: is an empty file"):
            only(tmp_path)

    def test_without_image_the_xml_says(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document(image("x.jpg", polygon())))
        assert only(tmp_path).shape == SIZE

    def test_without_either_there_is_no_size(self, tmp_path: Path) -> None:
        write(tmp_path / "x.xml", document('<image name="x.jpg"/>'))
        with pytest.raises(FormatError, match=r"x.xml, line 5: does not say how large"):
            only(tmp_path)

    def test_images_turned_by_exif_are_drawn_on_turned(self, tmp_path: Path) -> None:
        write(tmp_path / "src/x.xml", document(image("x.jpg", polygon(), size=SIZE[::-1])))
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(tmp_path / "src/x.jpg", exif=exif)
        report = convert(tmp_path / "src", tmp_path / "dst", source="cvat", target="voc")
        assert report.ok
        assert [*report.notes] == ["images turned by their EXIF orientation"]


def test_auto_knows_it_but_no_other_xml(tmp_path: Path) -> None:
    write(tmp_path / "a/x.xml", document(head=""))
    assert open_dataset(tmp_path).format.name == "cvat"
    (tmp_path / "b").mkdir()
    write(tmp_path / "b/x.xml", "<annotation><object/></annotation>")
    write(tmp_path / "b/y.xml", "<annotations><broken")
    with pytest.raises(UsageError, match="looks like no known format"):
        open_dataset(tmp_path / "b")


def test_the_sidewalk_set_has_the_classes_of_its_masks(tmp_path: Path) -> None:
    from sidewalk_files import SURFACE_LABELS, surface

    shapes = surface("bike_lane"), surface("alley"), surface("caution_zone", "tree_zone")
    sample = one(tmp_path, *shapes, labels=SURFACE_LABELS + label("extra"))
    table: ClassTable = open_dataset(tmp_path).classes
    assert [(info.name, info.color) for info in table][:3] == [
        ("background", (0, 0, 0)),
        ("sidewalk/blocks", (0, 0, 255)),
        ("sidewalk/cement", (217, 217, 217)),
    ]
    found = [table.by_id(id) for id in sample.label.class_ids.tolist()]
    assert [(info.name, info.color) for info in found] == [
        ("bike_lane", (255, 155, 155)),
        ("alley/normal", (230, 170, 255)),  # CVAT's default of the attribute
        ("caution_zone/tree_zone", (0, 255, 0)),
    ]
    assert len(table) == 1 + 21 + 1
    plain: Dataset = open_dataset(tmp_path, "cvat", attributes="")
    assert [info.name for info in plain.classes][1:3] == ["caution_zone", "bike_lane"]
