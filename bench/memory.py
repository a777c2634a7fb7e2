"""Peak memory of `tagline predict` on large files, sampled while it runs.

python bench/memory.py MODEL --megabytes 200
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from common import OUT, ROOT


def make_text(path: Path, megabytes: int) -> None:
    """A file of generated sentences, one a line."""
    sys.path.insert(0, str(ROOT / "examples"))
    import make_corpus

    sentences = make_corpus.make({"train": 4000, "dev": 300, "test": 300}, 7)
    lines = "".join(" ".join(word for word, _ in sentence) + "\n" for part in sentences.values() for sentence in part)
    data = lines.encode()
    with path.open("wb") as file:
        for _ in range(megabytes * 1_000_000 // len(data) + 1):
            file.write(data)


def measure(folder: Path, megabytes: int) -> dict[str, Any]:
    """Resident memory over the run, in MB: peak, and the median of each tenth of the time."""
    OUT.mkdir(parents=True, exist_ok=True)
    source, target = OUT / f"text-{megabytes}.txt", OUT / f"text-{megabytes}.jsonl"
    make_text(source, megabytes)
    command = [str(Path(sys.executable).with_name("tagline")), "predict", str(folder), str(source), "-o", str(target)]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--overwrite"], stderr=subprocess.DEVNULL)
    status, samples, peak = Path(f"/proc/{process.pid}/status"), [], 0.0
    while process.poll() is None:
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        if "VmRSS" in fields:
            samples.append(int(fields["VmRSS"].split()[0]) / 1000)
            peak = max(peak, int(fields["VmHWM"].split()[0]) / 1000)
        time.sleep(0.25)
    seconds = time.perf_counter() - started
    size, rows = source.stat().st_size / 1e6, sum(1 for _ in target.open("rb"))
    source.unlink()
    target.unlink()
    tenths = [round(statistics.median(part)) for part in np.array_split(samples, 10) if len(part)]
    return {
        "model": folder.name, "megabytes": round(size, 1), "rows": rows, "seconds": round(seconds, 1),
        "peak_mb": round(peak), "tenths_mb": tenths, "status": process.returncode,
    }  # fmt: skip


def tiny_model(folder: Path) -> Path:
    """A BERT with the real vocabulary and tags, random weights, and next to nothing to compute."""
    if folder.is_dir():
        return folder
    from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

    from tagline.folder import Manifest
    from tagline.models.encoders import resolve
    from tagline.publish.write import Parts, write_model

    labels = ["O", *(f"{prefix}-{kind}" for kind in ("LOC", "MISC", "ORG", "PER") for prefix in "BI")]
    tokenizer = AutoTokenizer.from_pretrained(resolve("minilm"))
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        id2label=dict(enumerate(labels)), label2id={label: number for number, label in enumerate(labels)},
    )  # fmt: skip
    write_model(Parts(BertForTokenClassification(config), tokenizer), Manifest(), folder)
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=int, default=200)
    options = parser.parse_args()
    print(measure(options.folder, options.megabytes))
