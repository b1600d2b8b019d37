"""Damage to a dataset: to its bytes, to its structure, to its tree of files."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from fuzz.seeds import image


@dataclass(frozen=True)
class Odd:
    """What stands in a file's place: a folder, a pipe that nobody writes to, or a link."""

    kind: Literal["folder", "pipe", "link"]
    to: str = ""


Item = bytes | Odd
Tree = dict[str, Item]

OUTSIDE = "secret"  # the file and folder beside the dataset that links lead to
NUMBERS = [
    *(b"0", b"-1", b"1", b"2", b"7", b"254", b"255", b"256", b"65535", b"65536", b"-32769"),
    *(b"2147483647", b"2147483648", b"-2147483649", b"4294967296", b"9223372036854775808"),
    *(b"1e9", b"1e18", b"1e308", b"1e999", b"-1e999", b"1e-320", b"0.1", b"-0.0", b"NaN"),
    *(b"Infinity", b"-Infinity", b"nan", b"inf", b"9" * 400, b"0." + b"3" * 400, b"0x10", b"007"),
    *("٣".encode(), "²".encode(), b"1_000", b"+5", b"true", b"null", b'""', b""),
]
BOMB = b"\n".join(
    [b"l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    + [b"l%d: &l%d [%s]" % (n, n, b", ".join([b"*l%d" % (n - 1)] * 10)) for n in range(1, 9)]
    + [b"names: *l8"]
)
ENTITIES = b'<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
FILE_ENTITY = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
TOKENS = [
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xfe\xff", b"\r", b"\r\n", b"\n", b"\x1a", b"\x85"),
    *(
        "\u2028".encode(),
        "\u202e".encode(),
        "가".encode("cp949"),
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ),
    *(b"../../../etc/passwd", b"/etc/passwd", b"..\\..\\x", b"C:\\x", b"file:///etc/passwd", b"~"),
    *(b"[" * 5000, b"{" * 5000, b'{"a":' * 3000, b"]" * 50, b"[]", b"{}", b",", b":", b'"', b"\\"),
    *(
        b"&a;" * 100,
        b"<x>" * 3000,
        b"<!--",
        b"<![CDATA[",
        b"]]>",
        b"*l0",
        b"&x [*x]",
        b"!!python/x",
    ),
    *(b"- " * 3000, b"%s%n", b"a" * 70_000, b" " * 3000, b"\\u0000", b"\\ud800"),
]
NAMES = [
    *(
        "a" * 240,
        "한" * 80,
        "CON",
        "nul.txt",
        "a:b",
        "a?*",
        "a\\b",
        "a\nb",
        "a\tb",
        "\u202eexe",
        "a\u200bb",
    ),
    *(
        "e\u0301",
        "é",
        " a",
        "a ",
        "a.",
        "-rf",
        "~",
        "$HOME",
        "%2e%2e",
        "a\udcff",
        "😀",
        "..a",
        "A",
        "B",
    ),
    *(
        "train",
        "val",
        "images",
        "masks",
        "labels",
        "1",
        "x,y",
        "x y",
        "#x",
        "classes.json",
        "İ",
        "ß",
    ),
]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 255, 256, 2**31, 2**63, 10**30, 0.5, 1e308, "", "x", "0"),
    *("NaN", [], [[]], [[[]]], [0], [[0, 0]], {}, {"a": 1}, [None], "../../x", "/etc/passwd"),
    *("\0", "\ud800", "a" * 5000, [[1, 1], [5, 1], [5, 5]], [1, 1, 5, 1, 5, 5], "road", {"0": "x"}),
]
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def mutate(files: dict[str, bytes], random: Random) -> tuple[Tree, list[str]]:
    """Return a damaged dataset, and what was done to it."""
    tree: Tree = dict(files)
    done = []
    for _ in range(random.choice([1, 1, 1, 2, 3, 6])):
        name = random.choice(sorted(tree))
        item = tree[name]
        if isinstance(item, Odd) or random.random() < 0.12:
            done.append(_mutate_tree(tree, name, random))
            continue
        change = random.choice(_changes(name, item))
        tree[name] = change(item, random, tree)
        done.append(f"{change.__name__.strip('_')} {name}")
    return tree, done


Change = Callable[[bytes, Random, Tree], bytes]


def _changes(name: str, data: bytes) -> list[Change]:
    suffix = name.rpartition(".")[2].lower()
    if suffix == "json":
        return [*BYTES, *TEXT, *[_json] * 12]
    if suffix in ("txt", "yaml", "yml", "csv", "xml", "py"):
        return [*BYTES, *TEXT, *TEXT]
    if data.startswith(b"\x89PNG"):
        return [*BYTES, *[_png] * 10, _another_image]
    return [*BYTES, _another_image]


def _place(data: bytes, random: Random) -> int:
    # Headers matter most.
    return random.randrange(min(len(data), random.choice([64, 1 << 30])) or 1)


def _flip(data: bytes, random: Random, _: Tree) -> bytes:
    out = bytearray(data or b"\0")
    for _ in range(random.choice([1, 1, 4, 32])):
        out[_place(out, random)] ^= 1 << random.randrange(8)
    return bytes(out)


def _set(data: bytes, random: Random, _: Tree) -> bytes:
    place, width = _place(data, random), random.choice([1, 2, 4, 8])
    value = random.choice([b"\0", b"\xff", b"\x7f", b"\x80"]) * width
    return data[:place] + value + data[place + width :]


def _delete(data: bytes, random: Random, _: Tree) -> bytes:
    place = _place(data, random)
    return data[:place] + data[place + random.choice([1, 2, 8, 100]) :]


def _double(data: bytes, random: Random, _: Tree) -> bytes:
    start = _place(data, random)
    part = data[start : start + random.choice([1, 4, 32, 1000])]
    return data[:start] + part * random.choice([2, 3, 100]) + data[start:]


def _truncate(data: bytes, random: Random, _: Tree) -> bytes:
    return data[: random.choice([0, 1, 2, 16, _place(data, random), len(data) - 1])]


def _insert(data: bytes, random: Random, _: Tree) -> bytes:
    place = random.choice([0, len(data), _place(data, random)])
    return data[:place] + random.choice(TOKENS) + data[place:]


def _splice(data: bytes, random: Random, tree: Tree) -> bytes:
    other = random.choice([item for item in tree.values() if isinstance(item, bytes)])
    return data[: _place(data, random)] + other[_place(other, random) :]


def _replace(data: bytes, random: Random, tree: Tree) -> bytes:
    return random.choice([item for item in tree.values() if isinstance(item, bytes)])


def _number(data: bytes, random: Random, _: Tree) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data + random.choice(NUMBERS)
    one = random.choice(found)
    return data[: one.start()] + random.choice(NUMBERS) + data[one.end() :]


def _numbers(data: bytes, random: Random, _: Tree) -> bytes:
    number = random.choice(NUMBERS)
    return _NUMBER.sub(lambda _: number, data)


def _encode(data: bytes, random: Random, _: Tree) -> bytes:
    text = data.decode("utf-8", "replace")
    name = random.choice(["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp949", "utf-7", "cp037"])
    return text.encode(name, "replace")


def _lines(data: bytes, random: Random, _: Tree) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    one = random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            lines[one:one] = [lines[one]] * random.choice([1, 3, 300])
        case 1:
            del lines[one]
        case 2:
            lines[one] = random.choice(TOKENS) + b"\n"
        case _:
            random.shuffle(lines)
    return b"".join(lines)


def _bomb(data: bytes, random: Random, _: Tree) -> bytes:
    head = data.find(b"?>") + 2 if b"?>" in data else 0
    return random.choice(
        [BOMB, data + b"\n" + BOMB, data[:head] + ENTITIES + data[head:], FILE_ENTITY + data]
    )


def _json(data: bytes, random: Random, _: Tree) -> bytes:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(random.choice([1, 1, 3])):
        places = list(_nodes(document))
        if not places:
            break
        parent, key = random.choice(places)
        match random.randrange(7):
            case 0 | 1 | 2:
                parent[key] = deepcopy(random.choice(VALUES))
            case 3:
                del parent[key]
            case 4 if isinstance(parent, list):
                parent[key:key] = [parent[key]] * random.choice([1, 3, 300])
            case 5:
                for _ in range(random.choice([1, 3, 100])):
                    parent[key] = [parent[key]]
            case _:
                other, place = random.choice(places)
                parent[key] = deepcopy(other[place])
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _nodes(value: Any) -> list[tuple[Any, Any]]:
    found, todo = [], [value]
    while todo and len(found) < 5000:
        one = todo.pop()
        keys = (
            list(one) if isinstance(one, dict) else range(len(one) if isinstance(one, list) else 0)
        )
        for key in keys:
            found.append((one, key))
            todo.append(one[key])
    return found


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk whose sum is right."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(data: bytes, random: Random, _: Tree) -> bytes:
    """Change chunks, and keep their sums right, so that a decoder looks into them."""
    chunks, place = [], 8
    while place + 8 <= len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + size]))
        place += 12 + size
    if not chunks:
        return data
    match random.randrange(8):
        case 0 | 1 if len(chunks[0][1]) == 13:
            width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
            sides = [1, 3, width, height, 1000, 60_000, 65_536, 2**20, 2**31 - 1, 2**32 - 1, 0]
            header = struct.pack(">IIBBBBB", random.choice(sides), random.choice(sides), *rest)
            chunks[0] = (b"IHDR", header)
        case 2 if len(chunks[0][1]) == 13:
            head = chunks[0][1]
            rest = bytes([random.choice([1, 2, 4, 8, 16, 3]), random.choice([0, 2, 3, 4, 6, 7])])
            chunks[0] = (b"IHDR", head[:8] + rest + head[10:12] + bytes([random.choice([0, 1, 2])]))
        case 3:
            del chunks[random.randrange(len(chunks))]
        case 4:
            chunks.insert(random.randrange(len(chunks) + 1), random.choice(chunks))
        case 5:
            text = zlib.compress(bytes(random.choice([10, 10**7])))
            kind = random.choice([b"zTXt", b"iCCP"])
            extra = [
                (kind, b"a\0\0" + text),
                (b"iTXt", b"a\0\1\0\0\0" + text),
                (b"tRNS", b"\0" * 9),
            ]
            extra += [
                (b"acTL", struct.pack(">II", 9, 0)),
                (b"eXIf", b"MM\0*\0\0\0\x08" + b"\xff" * 9),
            ]
            chunks.insert(1, random.choice(extra))
        case 6:
            raw = bytes(random.choice([0, 1, 17, 500, 10**7]))
            chunks = [c for c in chunks if c[0] != b"IDAT"]
            chunks.insert(-1, (b"IDAT", zlib.compress(raw)))
        case _:
            kind, inner = random.choice(chunks)
            chunks[chunks.index((kind, inner))] = (kind, _flip(inner, random, {}))
    return data[:8] + b"".join(chunk(kind, inner) for kind, inner in chunks)


def _another_image(data: bytes, random: Random, _: Tree) -> bytes:
    format, mode = random.choice(
        [
            *(("PNG", mode) for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "I;16")),
            *(("TIFF", mode) for mode in ("1", "L", "P", "RGB", "CMYK", "I;16", "F")),
            *(("BMP", "P"), ("GIF", "P"), ("WEBP", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK")),
            *(("EPS", "RGB"), ("PPM", "RGB"), ("TGA", "RGB"), ("PCX", "P")),
        ]
    )
    other = image(format, mode, random.choice([(16, 12), (12, 16), (1, 1), (300, 2)]))
    return _flip(other, random, {}) if random.random() < 0.5 else other


BYTES: list[Change] = [_flip, _set, _delete, _double, _truncate, _insert, _splice, _replace]
TEXT: list[Change] = [_number, _number, _number, _numbers, _encode, _lines, _lines, _insert, _bomb]


def _mutate_tree(tree: Tree, name: str, random: Random) -> str:
    folder, _, base = name.rpartition("/")
    suffix = "." + base.rpartition(".")[2] if "." in base else ""
    other = random.choice(sorted(tree))
    kind = random.choice(
        ["rename", "rename", "copy", "delete", "swap", "empty", "folder", "pipe", "link"]
    )
    match kind:
        case "rename" | "copy":
            new = random.choice(NAMES)
            to = f"{folder}/{new}{suffix}" if folder else new + suffix
            if random.random() < 0.3 and folder:  # a folder on the way
                _, _, rest = name.partition("/")
                to = f"{new}/{rest}"
            tree[to] = tree[name] if kind == "copy" else tree.pop(name)
            return f"{kind} {name} to {to!r}"
        case "delete":
            if len(tree) > 1:
                del tree[name]
        case "swap":
            tree[name], tree[other] = tree[other], tree[name]
        case "empty":
            tree[name] = b""
        case "link":
            outside = "../" * (name.count("/") + 1) + OUTSIDE
            to = random.choice([base, ".", "..", other, outside, f"{outside}/x", "/dev/zero", "/"])
            tree[name] = Odd("link", to)
            return f"link {name} to {to}"
        case "folder" | "pipe":
            tree[name] = Odd(kind)
    return f"{kind} {name}"
