"""Cores inside containers: quotas of both versions of the kernel's control groups, at every level."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tagline import machine
from tagline.engines import EngineSettings
from tagline.predict.tagger import Tagger


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))


def tree(root: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V1 = "11:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n"


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ({}, 8),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3),
        ({"sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
        ({"sys/fs/cgroup/cpu.max": "9900000 100000\n"}, 8),
        ({"sys/fs/cgroup/cpu.max": "nonsense"}, 8),
        # a service with a quota, or a group around it with a smaller one
        ({"proc/self/cgroup": "0::/a.slice/b\n", "sys/fs/cgroup/a.slice/b/cpu.max": "400000 100000"}, 4),
        (
            {
                "proc/self/cgroup": "0::/a.slice/b\n", "sys/fs/cgroup/a.slice/b/cpu.max": "max 100000",
                "sys/fs/cgroup/a.slice/cpu.max": "300000 100000",
            },
            3,
        ),
        # the first version: seen from outside with its path, from inside without
        (
            {
                "proc/self/cgroup": V1, "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "500000\n",
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            5,
        ),
        (
            {
                "proc/self/cgroup": V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            8,
        ),
    ],
)  # fmt: skip
def test_quota(tmp_path: Path, contents: dict[str, str], expected: int) -> None:
    assert machine.cores(tree(tmp_path, contents)) == expected


def test_the_engine_takes_the_cores_of_the_quota(
    tagger_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagline.engines import EngineSettings, openvino
    from tagline.folder import ModelFolder

    quota = tree(tmp_path, {"sys/fs/cgroup/cpu.max": "100000 100000\n"})
    monkeypatch.setattr(openvino, "cores", lambda: machine.cores(quota))
    engine = openvino.OpenVinoEngine(ModelFolder.open(tagger_folder), EngineSettings(precision="f32", cache=False))
    model = engine._model
    assert (model.get_property("INFERENCE_NUM_THREADS"), model.get_property("NUM_STREAMS")) == (1, 1)


def test_flags_are_those_that_the_processor_has() -> None:
    flags = machine.processor_flags()
    assert len(flags) == len(set(flags))
    assert machine.processor_has_bf16() == bool({"avx512_bf16", "amx_bf16"} & set(flags))


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that the system does not know, as containers have them."""

    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("TAGLINE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", none)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_place_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(machine.NoHomeError, match="TAGLINE_CACHE"):
        machine.cache_folder()
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path))
    assert machine.cache_folder() == tmp_path


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_model_is_read_without_a_cache(tagger_folder: Path) -> None:
    assert Tagger.open(tagger_folder, EngineSettings(threads=1))("Ada went to London").words[0] == "Ada"
