"""A tiny encoder, a small corpus, and the command line as a user calls it: in this process, or as one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent.parent
LEARN = (
    "--epochs", "4", "--learning-rate", "5e-3", "--batch-tokens", "256", "--threads", "1", "--precision", "f32",
    "--set", "head_learning_rate=5e-3", "--set", "freeze_embeddings=false",
)  # fmt: skip
"""Options with which the tiny encoder learns something in seconds."""
FILES = {
    "README.md", "config.json", "model.safetensors", "openvino_model.bin", "openvino_model.xml", "tagline.json",
    "tokenizer.json", "tokenizer_config.json",
}  # fmt: skip
NOISE = ("Traceback", "[transformers]", "Warning", "WARNING", "it/s]", "Loading weights", "shards")
"""What a user must never see."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


def call(*arguments: object, stdin: bytes = b"") -> Result:
    """Runs a command in this process, through the entry point of the console script."""
    from tagline.cli import main

    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    code = 0
    with (
        patch.object(sys, "argv", ["tagline", *map(str, arguments)]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out.flush()
        err.flush()
    return Result(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode("utf-8")


def environment(**more: str) -> dict[str, str]:
    """Environment of a process of its own."""
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more}


def command(*arguments: object) -> list[str]:
    """The command line that starts Tagline in a process of its own."""
    return [sys.executable, "-m", "tagline", *map(str, arguments)]


def spawn(*arguments: object, stdin: bytes | None = None, **more: str) -> Result:
    """Runs a command in a process of its own."""
    done = subprocess.run(
        command(*arguments), input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True, env=environment(**more), timeout=120, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def on_terminal(*arguments: object) -> tuple[int, str]:
    """Runs a command with a terminal for its output and errors; gives its exit code and all that was shown."""
    main, other = pty.openpty()
    more = {"TERM": "xterm-256color", "COLUMNS": "120", "NO_COLOR": ""}
    process = subprocess.Popen(command(*arguments), stdin=other, stdout=other, stderr=other, env=environment(**more))
    os.close(other)
    shown = b""
    with os.fdopen(main, "rb", buffering=0) as stream, contextlib.suppress(OSError):  # raised when all have closed it
        while part := stream.read(4096):
            shown += part
    return process.wait(60), shown.decode("utf-8")


@contextlib.contextmanager
def running(
    arguments: Sequence[object], cwd: Path, log: Path, alone: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """A command at work in a process of its own, its standard error in `log`; killed at the end if it still runs.

    With `alone` it begins a session, and what it starts can be told apart from this process's.
    """
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command(*arguments), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream,
            env=environment(), start_new_session=alone,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)


def stop(
    process: subprocess.Popen[bytes], when: Callable[[], bool], number: signal.Signals, everyone: bool = False
) -> int:
    """Sends a signal as soon as `when()` holds, and gives the exit code of the process.

    With `everyone` all processes of its session get the signal, as of Ctrl-C in a terminal; it must run `alone`.
    """
    until = time.monotonic() + 100
    while not when():
        assert process.poll() is None, f"it ended too early, with exit code {process.returncode}"
        assert time.monotonic() < until, "what was waited for did not happen"
        time.sleep(0.01)
    if everyone:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    return process.wait(60)


def tree(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder, by its name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def refused(result: Result, *parts: str) -> None:
    """Asserts exit code 2, an empty standard output and one sentence that says all of `parts`."""
    assert result.code == 2, result
    assert result.out == "", result
    sentences = [line for line in result.err.splitlines() if line.startswith("tagline: ")]
    assert len(sentences) == 1, result.err
    assert result.err.splitlines()[-1] == sentences[0], result.err
    for part in parts:
        assert part in sentences[0], f"{part!r} is missing in {sentences[0]!r}"
    quiet(result)


def quiet(result: Result) -> None:
    """Asserts that nothing but Tagline itself has spoken."""
    for noise in NOISE:
        assert noise not in result.err, result.err
        assert noise not in result.out, result.out


def write_encoder(folder: Path, texts: Sequence[str], positions: int = 256) -> Path:
    """Saves a random uncased BERT, hidden size 32, two layers, with a word-piece vocabulary of the texts."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=1200, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    saved = transformers.BertTokenizer(
        vocab=dict(tokenizer.get_vocab()), do_lower_case=True, model_max_length=positions
    )
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=len(saved), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=positions,
    )  # fmt: skip
    saved.save_pretrained(folder)
    transformers.BertModel(config).save_pretrained(folder)
    return folder
