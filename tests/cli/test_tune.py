"""`tagline tune` and `tagline train --settings`."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, NOISE, call, quiet, refused, running, stop

from tagline.errors import UsageError
from tagline.folder import ModelFolder
from tagline.machine import cores
from tagline.train.search.space import Range, default_space, parse_ranges
from tagline.train.search.study import finished, open_study
from tagline.train.search.trials import Search, work
from tagline.train.texts.settings import TextSettings
from tagline.train.tokens.settings import BiLstmSettings, TokenSettings


def test_ranges_are_read_and_shown_as_they_are_typed() -> None:
    texts = ["learning_rate=1e-05:0.0003:log", "epochs=3:8", "head=linear,crf", "dropout=0.1:0.5"]
    found = parse_ranges(texts, TokenSettings())
    assert found == (
        Range("learning_rate", 1e-5, 3e-4, log=True), Range("epochs", 3, 8, whole=True),
        Range("head", choices=("linear", "crf")), Range("dropout", 0.1, 0.5),
    )  # fmt: skip
    assert [str(each) for each in found] == texts


@pytest.mark.parametrize("base", [TokenSettings(), TextSettings(), BiLstmSettings()])
def test_what_is_searched_unasked_fits_the_settings(base: Any) -> None:
    assert parse_ranges([str(each) for each in default_space(base)], base) == default_space(base)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour=red,blue", "expected NAME=LOW:HIGH"),
        ("threads=1:2", "expected NAME=LOW:HIGH"),
        ("epochs=1.5:3", "epochs is a whole number"),
        ("learning_rate=0:1:log", "expected LOW below HIGH and above 0"),
        ("learning_rate=3:1", "expected LOW below HIGH"),
        ("learning_rate=1:3:lin", "expected NAME=LOW:HIGH"),
        ("head=linear", "expected two choices or more"),
        ("head=linear,softmax", "--head is 'softmax'; accepted are linear, crf"),
        ("head=1:2", "expected NAME=LOW:HIGH"),
        ("warmup=0.5:1", "expected a share of the steps"),
    ],
)
def test_ranges_that_are_none_are_refused_before_any_trial(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_ranges([text], TokenSettings())
    assert words in str(error.value)


def test_no_two_processes_and_no_two_runs_draw_alike(tmp_path: Path) -> None:
    def drawn(process: int, begun: int | None) -> float:
        folder = tmp_path / f"{process}-{begun}"
        folder.mkdir(exist_ok=True)
        return open_study(folder, 13, process, begun).ask().suggest_float("x", 0, 1)

    found = {drawn(process, begun) for process in range(4) for begun in range(4)}
    assert len(found) == 16
    assert drawn(9, None) == drawn(9, 0)  # the first trial of a search, drawn again


TWO_CORES = pytest.mark.skipif(cores() < 2, reason="needs two cores")
SPACE = ("--range", "learning_rate=1e-4:1e-2:log", "--range", "head=linear,crf")
FEW = ("--set", "epochs=1", "--set", "precision=f32", "--set", "batch_tokens=1024", "--threads", "1")


def tune(workshop: Workshop, output: Path, *more: object) -> tuple[object, ...]:
    files = (workshop.dev, "--dev", workshop.test)  # small
    return ("tune", *files, "-o", output, "--encoder", workshop.encoder, *FEW, *SPACE, *more)


def test_a_search_goes_on_and_its_best_settings_train_a_model(workshop: Workshop, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    result = call(*tune(workshop, folder, "--trials", "1"))
    assert result.code == 0, result
    quiet(result)
    refused(call(*tune(workshop, folder)), "holds a search; type --resume to go on")
    refused(call(*tune(workshop, folder, "--resume", "--set", "warmup=0.2")), "holds a search with other settings")
    study = open_study(folder, 1)
    study.ask()  # what a killed process leaves
    result = call(*tune(workshop, folder, "--trials", "2", "--resume", "--json"))
    assert result.code == 0, result
    assert "1 trials are there already" in result.err
    found = json.loads(result.out)
    assert found == json.loads((folder / "best.json").read_text("utf-8"))
    done = finished(open_study(folder, 1))
    assert len(done) == found["trials"] == 2
    assert found["score"] == max(trial.value or 0 for trial in done)
    assert (folder / "search.png").read_bytes().startswith(b"\x89PNG")
    assert {each.name for each in folder.iterdir()} == {"best.json", "journal.log", "search.json", "search.png"}
    asked = ("train", workshop.dev, "-o", tmp_path / "m", "--settings", folder / "best.json", "--set", "warmup=0.3")
    assert call(*asked, "--learning-rate", "0.001").code == 0
    settings = ModelFolder.open(tmp_path / "m").manifest.training["settings"]
    assert settings["head"] == found["settings"]["head"]
    assert settings["encoder"] == str(workshop.encoder)
    assert (settings["epochs"], settings["warmup"], settings["learning_rate"]) == (1, 0.3, 0.001)


@pytest.mark.skipif(cores() < 2 or not Path("/proc/self/task").is_dir(), reason="needs two cores, and Linux")
@pytest.mark.parametrize(
    ("said", "number", "everyone"),
    [
        pytest.param("searched on dev", signal.SIGINT, True, id="processes begin"),
        pytest.param("trial ", signal.SIGTERM, False, id="a trial has ended", marks=pytest.mark.slow),
    ],
)
def test_parallel_trials_broken_off_lose_nothing(
    said: str, number: signal.Signals, everyone: bool, workshop: Workshop, tmp_path: Path
) -> None:
    """A signal to the search alone, and Ctrl-C, which a terminal sends to all its processes."""
    folder, log = tmp_path / "search", tmp_path / "log"
    asked = tune(workshop, folder, "--trials", "500", "--jobs", "2")
    with running(asked, tmp_path, log, alone=True) as process:
        started = Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def when() -> bool:
            sizes = [Path(f"/proc/{each}/statm").read_text("utf-8").split()[1] for each in started.read_text().split()]
            return said in log.read_text("utf-8") and max(map(int, sizes), default=0) > 15_000  # pages: it imports

        assert stop(process, when, number, everyone) == 130
    text = log.read_text("utf-8")
    assert "To go on type: tagline tune" in text
    assert "checkpoint" not in text  # a trial's folder goes
    assert not [noise for noise in (*NOISE, "semaphore") if noise in text], text
    trials = open_study(folder, 1).trials
    assert not [trial for trial in trials if trial.state is TrialState.RUNNING]
    ended = {json.dumps(trial.params) for trial in trials if trial.state in (TrialState.FAIL, TrialState.WAITING)}
    again = {json.dumps(trial.system_attrs["fixed_params"]) for trial in trials if "fixed_params" in trial.system_attrs}
    assert len([trial for trial in trials if trial.state is TrialState.FAIL and trial.params]) <= 2
    assert {each for each in ended if each != "{}"} <= again  # what was under way is drawn again
    assert f"{len(finished(open_study(folder, 1)))} trials are kept" in text


def test_settings_that_do_not_go_together_are_a_bad_trial(tmp_path: Path) -> None:
    base = TokenSettings(class_weights="balanced")
    study, ended = open_study(tmp_path, 1), []
    study.enqueue_trial({"head": "crf"})
    unread: Any = None
    search = Search(tmp_path, base, (Range("head", choices=("linear", "crf")),), unread, unread, 1)
    work(search, study, contextlib.nullcontext(), lambda: ended.append(1))
    (trial,) = finished(study)
    assert "a CRF scores whole sentences" in trial.user_attrs["error"]
    assert ended


def test_settings_files_are_checked(workshop: Workshop, tmp_path: Path) -> None:
    for name, text, words in (
        ("a.json", '{"colour": 1}', "'colour' is no setting here"),
        ("b.toml", 'epochs = "many"', "epochs: got 'many'; expected int"),
        ("c.json", "[1]", "holds a list; expected settings by name"),
        ("d.json", "{", "cannot be read"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        result = call("train", workshop.dev, "-o", tmp_path / "m", "--settings", tmp_path / name, *LEARN)
        refused(result, words)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--trials", "0"), "--trials is 0; expected at least 1"),
        pytest.param(
            ("--jobs", "2", "--threads", "998"), "--threads is 998 with --jobs 2; expected at most ", marks=TWO_CORES
        ),
        pytest.param(
            ("--jobs", "2", "--set", "threads=998"),
            "--threads is 998 with --jobs 2; expected at most ",
            marks=TWO_CORES,
        ),
        (("--timeout", "0"), "--timeout is 0.0; expected seconds"),
        (("--jobs", "0"), "--jobs is 0; expected 1"),
        (("--set", "head=crf"), "--range head=linear,crf searches what is fixed by --set or --seed"),
    ],
)
def test_bad_options_make_no_folder(workshop: Workshop, tmp_path: Path, more: tuple[str, ...], words: str) -> None:
    refused(call(*tune(workshop, tmp_path / "s", *more)), words)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(("count", "accepted"), [(1, "expected 1, as there is one core"), (4, "expected 1 to 4, the ")])
def test_no_more_jobs_than_cores(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, accepted: str
) -> None:
    monkeypatch.setattr("tagline.machine.cores", lambda: count)
    refused(call(*tune(workshop, tmp_path / "s", "--jobs", "5")), f"--jobs is 5; {accepted}")
    assert not (tmp_path / "s").exists()
