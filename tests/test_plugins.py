"""The host, with stand-ins for installed plug-ins."""

import sys
import tomllib
import types
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from segfmt import Executor, Format, PluginError, UsageError, formats, hookimpl, plugins
from segfmt.executors import make_serial


class Point:
    """An entry point of a distribution that is not installed."""

    def __init__(self, name: str, plugin: object, distribution: str = "segfmt-stranger") -> None:
        self.name = name
        self.plugin = plugin
        self.dist = types.SimpleNamespace(name=distribution)

    def load(self) -> object:
        if isinstance(self.plugin, Exception):
            raise self.plugin
        return self.plugin


def returning(result: object) -> Callable[[], object]:
    return lambda: result


def plugin(**hooks: object) -> types.ModuleType:
    module = types.ModuleType("plugin")
    for name, result in hooks.items():
        setattr(module, name, hookimpl(returning(result)))
    return module


@pytest.fixture
def good() -> types.ModuleType:
    return plugin(
        segfmt_formats=[Format("zebra", "stripes")],
        segfmt_executors=[Executor("slow", "one at a time", make_serial)],
    )


def test_formats_and_executors_are_found_with_their_origin(good: types.ModuleType) -> None:
    host = plugins.load_host([Point("zebra", good)])
    assert list(host.formats) == ["zebra"]
    assert list(host.executors) == ["slow"]
    assert host.origins["zebra"] == "segfmt-stranger:zebra"
    assert not host.broken


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (ImportError("No module named 'lost'"), "ImportError: No module named 'lost'"),
        (plugin(segfmt_formats=["voc"]), "not a Format"),
        (plugin(segfmt_formats=None), "TypeError"),
    ],
)
def test_a_broken_plugin_warns_with_its_name_and_the_rest_lives(
    good: types.ModuleType, broken: object, reason: str
) -> None:
    points = [Point("ill", broken, "segfmt-ill"), Point("zebra", good)]
    with pytest.warns(UserWarning, match="segfmt-ill:ill is left out") as caught:
        host = plugins.load_host(points)
    assert len(caught) == 1
    assert reason in host.broken["segfmt-ill:ill"]
    assert list(host.formats) == ["zebra"]


def test_a_misspelt_hook_is_seen(good: types.ModuleType) -> None:
    module = types.ModuleType("plugin")
    module.segfmt_fromats = hookimpl(lambda: [])
    with pytest.warns(UserWarning, match="segfmt_fromats"):
        host = plugins.load_host([Point("ill", module), Point("zebra", good)])
    assert list(host.formats) == ["zebra"]


def test_two_plugins_with_one_name_are_an_error_that_names_both(good: types.ModuleType) -> None:
    twin = plugin(segfmt_formats=[Format("zebra", "spots")])
    with pytest.raises(PluginError, match=r"segfmt-a:x.*segfmt-b:y|segfmt-b:y.*segfmt-a:x"):
        plugins.load_host([Point("x", good, "segfmt-a"), Point("y", twin, "segfmt-b")])


def test_built_ins_come_through_the_entry_points() -> None:
    host = plugins.host()
    assert {"aihub", "voc"} <= set(host.formats)
    assert {"serial", "threads", "processes"} <= set(host.executors)
    assert host.origins["aihub"] == "segfmt:aihub"
    assert not host.broken


def test_formats_is_read_only() -> None:
    with pytest.raises(TypeError):
        formats()["mine"] = Format("mine", "")


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r'no format "aihubb"\. Did you mean "aihub"'):
        plugins.format_named("aihubb")
    with pytest.raises(UsageError, match="There are: dask, processes, serial, threads"):
        plugins.executor_named("qqqq")


def test_a_format_that_is_not_installed_says_what_to_install(
    good: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = plugins.load_host([Point("zebra", good)])
    monkeypatch.setattr(plugins, "host", lambda: host)
    with pytest.raises(UsageError, match=r"Install it: pip install segfmt-coco"):
        plugins.format_named("coco")
    with pytest.raises(UsageError, match=r"Install it: pip install segfmt-dask"):
        plugins.executor_named("dask")


def test_what_is_offered_is_what_the_plugins_bring_and_all_installs_it() -> None:
    root = Path(__file__).parents[1]
    host = plugins.host()
    ours = {path.parent.name for path in root.glob("plugins/segfmt-*/pyproject.toml")}
    ours.remove("segfmt-example")
    brought = {
        name: package
        for name, origin in host.origins.items()
        if (package := origin.partition(":")[0]) in ours
    }
    assert brought == dict(plugins.OFFERED)
    packages = {*plugins.OFFERED.values(), *plugins.OFFERED_EXECUTORS.values()}
    assert packages == ours
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"]["all"]) == ours


@pytest.fixture
def real_entry_point(monkeypatch: pytest.MonkeyPatch) -> Iterator[EntryPoint]:
    module = plugin(segfmt_formats=[Format("lion", "")])
    monkeypatch.setitem(sys.modules, "a_plugin_of_the_tests", module)
    yield EntryPoint("lion", "a_plugin_of_the_tests", plugins.GROUP)


def test_a_real_entry_point_loads(real_entry_point: EntryPoint) -> None:
    assert list(plugins.load_host([real_entry_point]).formats) == ["lion"]
