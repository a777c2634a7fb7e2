"""bench/RESULTS.md from the figures."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from common import place
from texts import figures as text_figures


def write(results: dict[str, Any]) -> None:
    """Writes each part that was measured between its marks; what stands outside of marks stays."""
    writers: dict[str, Callable[[Any], list[str]]] = {
        "accuracy": _accuracy,
        "texts": _texts,
        "rawtext": _raw,
        "speed": _speed,
        "textspeed": _text_speed,
        "start": _start,
        "memory": _memory,
        "audit": _audit,
    }
    for name, writer in writers.items():
        if name in results:
            lines = [
                *writer(results[name]["figures"]),
                "",
                f"`python bench/run.py --only {name}` on {_machine(results[name]['machine'])}",
            ]
            place(name, "\n".join(lines))


def _machine(facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {facts[name]}" for name in ("torch", "transformers", "tokenizers", "openvino"))
    bf16 = " and ".join(facts["bf16"]) or "no bf16"
    return f"{facts['processor']}, {facts['cores']} cores, {bf16}; Python {facts['python']}, {versions}."


def _accuracy(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = [
        "## Accuracy",
        "",
        "Default settings of `tagline train`, encoder minilm, strict F1 through the OpenVINO engine. The best epoch is "
        "chosen on dev; test is looked at once.",
        "",
        "| corpus | seeds | dev, each | dev, mean | test, each | test, mean | test 95 % intervals | conlleval, mean |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, records in runs.items():
        row = [name, ", ".join(str(record["seed"]) for record in records)]
        for role in ("dev", "test"):
            scores = [100 * record[role]["strict"]["f1"] for record in records]
            row += [", ".join(f"{score:.2f}" for score in scores), f"**{statistics.mean(scores):.2f}**"]
        row.append(
            ", ".join("{:.1f} to {:.1f}".format(*(100 * x for x in r["test"]["strict_interval"])) for r in records)
        )
        row.append(f"{statistics.mean(100 * record['test']['conlleval']['f1'] for record in records):.2f}")
        lines.append("| " + " | ".join(row) + " |")
    return lines


def _texts(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = [
        "## Accuracy of text classification",
        "",
        "Default settings of `tagline train`, encoder minilm, through the OpenVINO engine; the best epoch and, for "
        "several labels, the thresholds are chosen on dev, test is looked at once. SMS spam: duplicates removed, split "
        "80/10/10 by label with the run's seed. MRPC: a tenth of train is dev. GoEmotions: one pass at 1e-4.",
        "",
        "| corpus | seeds | figure | dev, each | dev, mean | test, each | test, mean |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, records in runs.items():
        seeds = ", ".join(str(record["seed"]) for record in records)
        for figure in text_figures(records[0], "test"):
            row = [name, seeds, figure]
            for role in ("dev", "test"):
                scores = [text_figures(record, role)[figure] for record in records]
                row += [", ".join(f"{score:.2f}" for score in scores), f"**{statistics.mean(scores):.2f}**"]
            lines.append("| " + " | ".join(row) + " |")
    return lines


def _raw(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Raw text against gold words",
        "",
        "CoNLL-2003 test, words joined as a person would write them; exact character spans. Documents: the sentences "
        "of an article as one running text, headlines and lines of tables on lines of their own.",
        "",
        "| model | F1, gold words | F1, raw sentences | loss | F1, raw documents |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        loss = row["gold_words"] - row["raw_text"]
        scores = f"{row['gold_words']:.2f} | {row['raw_text']:.2f} | {loss:.2f} | {row['documents']:.2f}"
        lines.append(f"| {row['model']} | {scores} |")
    return lines


def _speed(figures: dict[str, Any]) -> list[str]:
    rates = figures["rates"]
    base = rates["transformers.pipeline, defaults"]["median"]
    lines = [
        "## Speed: text in, entities out",
        "",
        f"CoNLL-2003 test as raw text, {figures['texts']:,} sentences, {figures['subtokens']:,} sub-tokens; medians of "
        f"{figures['repeats']} interleaved rounds after one that does not count; same weights, both cores.",
        "",
        "| engine | sub-tokens per second | smallest to largest | times the pipeline |",
        "|---|---|---|---|",
    ]
    for name, rate in rates.items():
        around = f"{rate['min']:,.0f} to {rate['max']:,.0f}"
        lines.append(f"| {name} | {rate['median']:,.0f} | {around} | {rate['median'] / base:.1f} × |")
    return lines


def _text_speed(figures: dict[str, Any]) -> list[str]:
    rates, other = figures["rates"], figures["other_labels"]
    base = rates["transformers.pipeline, defaults"]["median"]
    lines = [
        "## Speed: text in, label out",
        "",
        f"SST-2 test, {figures['texts']:,} sentences; medians of {figures['repeats']} interleaved rounds after one "
        "that does not count; same weights, both cores.",
        "",
        "| engine | texts per second | smallest to largest | times the pipeline | labels that differ |",
        "|---|---|---|---|---|",
    ]
    for name, rate in rates.items():
        around = f"{rate['min']:,.0f} to {rate['max']:,.0f}"
        times = f"{rate['median'] / base:.1f} ×"
        lines.append(f"| {name} | {rate['median']:,.0f} | {around} | {times} | {other[name]} |")
    return lines


def _start(figures: dict[str, Any]) -> list[str]:
    seconds = figures["seconds"]
    base = seconds["transformers.pipeline"]["median"]
    lines = [
        "## From process start to the entities of one sentence",
        "",
        f"Whole processes, warm disk, medians of {figures['repeats']}, in turn.",
        "",
        "| command | seconds | smallest to largest | share of the pipeline's |",
        "|---|---|---|---|",
    ]
    for name, each in seconds.items():
        share = each["median"] / base
        lines.append(f"| {name} | {each['median']:.2f} | {each['min']:.2f} to {each['max']:.2f} | {share:.2f} |")
    return lines


def _memory(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Memory of `tagline predict FILE -o OUT.jsonl`",
        "",
        "Generated sentences, one a line. Resident memory, sampled four times a second; the tenths are medians of each "
        "tenth of the run and show whether it grows.",
        "",
        "| model | file, MB | rows | seconds | peak, MB | tenths, MB |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        tenths = " ".join(map(str, row["tenths_mb"]))
        size = f"{row['megabytes']} | {row['rows']:,} | {row['seconds']}"
        lines.append(f"| {row['model']} | {size} | {row['peak_mb']} | {tenths} |")
    return lines


def _audit(figures: dict[str, Any]) -> list[str]:
    lines = [
        "## `tagline audit`",
        "",
        "From the files to all findings, near duplicates among them; medians. The long corpus is made of copies with "
        "changed words, so that they are no duplicates of each other.",
        "",
        "| corpus | words | seconds | of that reading | smallest to largest | times CoNLL-2003 |",
        "|---|---|---|---|---|---|",
    ]
    medians = {name: statistics.median(run["seconds"] for run in runs) for name, runs in figures["runs"].items()}
    base = next(iter(medians.values()))
    for name, runs in figures["runs"].items():
        seconds = [run["seconds"] for run in runs]
        read = statistics.median(run["read_seconds"] for run in runs)
        around = f"{min(seconds):.1f} to {max(seconds):.1f}"
        row = f"{medians[name]:.1f} | {read:.1f} | {around} | {medians[name] / base:.1f} ×"
        lines.append(f"| {name} | {runs[0]['words']:,} | {row} |")
    lines += [
        "",
        "What it finds in the real corpora (all files of each; the kinds are those of `--fail-on`):",
        "",
        "| corpus | findings | words of test in train | words of dev in train |",
        "|---|---|---|---|",
    ]
    for name, each in figures["found"].items():
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in each["counts"].items()) or "none"
        shares = {overlap["judged"]: overlap for overlap in each["overlaps"] if overlap["known"] == "train"}
        cells = (f"{100 * shares[role]['share_of_words']:.1f} %" if role in shares else "" for role in ("test", "dev"))
        lines.append(f"| {name} | {kinds} | {' | '.join(cells)} |")
    return lines
