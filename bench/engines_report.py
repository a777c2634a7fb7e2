"""Tables and plot of what `engines.py` measured: bench/RESULTS.md between its two marks, and bench/engines.png.

python bench/engines_report.py [--trial]
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import engines_plot
from common import OUT, place
from peers.environments import SHIPPED

HERE = Path(__file__).parent
PLOT = HERE / "engines.png"
DEFAULTS, BEST = "transformers pipeline, defaults", "transformers pipeline, sorted, best batch"
Figures = dict[str, Any]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trial", action="store_true", help="print what was tried with --limit, and write nothing")
    trial = parser.parse_args().trial
    records = read(".trial.json" if trial else ".json")
    if trial:
        print(tables(records))
    else:
        write(records)


def read(ending: str = ".json") -> dict[str, Any]:
    """Parts that were measured, by name."""
    found = {path.name.removesuffix(ending): path for path in (OUT / "engines").glob(f"*{ending}")}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in found.items() if "." not in name}


def write(records: dict[str, Any]) -> None:
    """The page's part and the plot."""
    place("engines", tables(records))
    if "rates" in records:
        peers = records["rates"]["figures"]["peers"]
        ours = {name for name, each in peers.items() if each["kind"] == "ours"}
        engines_plot.plot(engines_plot.speeds(peers), ours, PLOT)


def tables(records: dict[str, Any]) -> str:
    """All parts that were measured, as Markdown."""
    writers: dict[str, Callable[[Figures], list[str]]] = {
        "rates": _rates, "lengths": _lengths, "base": _base, "latency": _latency, "start": _start, "labels": _labels,
        "mates": _mates, "long": _long, "size": _size, "train": _train, "train-f1": _train_f1,
    }  # fmt: skip
    lines = ["## Against other engines", ""]
    for name, writer in writers.items():
        if name in records:
            record = records[name]
            some = f", only the first {record['limit']} texts" if record["limit"] else ""
            said = (
                f"`python bench/engines.py --only {name} --rounds {record['rounds']}`{some}: {record['threads']} "
                f"threads, {record['took']:.0f} s, model {record['model']}; {_machine(record['machine'])}"
            )
            lines += [*writer(record["figures"]), "", said, ""]
    lines += _versions(records)
    return "\n".join(lines).rstrip()


def _machine(facts: Figures) -> str:
    return f"{facts['processor']}, {facts['cores']} cores, {' and '.join(facts['bf16']) or 'no bf16'}."


def _spread(values: Sequence[float], digits: int = 0) -> str:
    """Median, and smallest to largest."""
    middle = statistics.median(values)
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def machine_rate(figures: Figures) -> tuple[str, float] | None:
    """The quickest way to multiply that was found, and its median rate."""
    rates = {name: statistics.median(values) for name, values in figures["machine_rates"].items() if values}
    return max(rates.items(), key=lambda item: item[1]) if rates else None


def _rate_table(figures: Figures) -> list[str]:
    peers, top = figures["peers"], machine_rate(figures)
    rates = engines_plot.speeds(peers)
    middles = {name: statistics.median(values) for name, values in rates.items()}
    lines = [
        "| engine | sub-tokens a second (smallest to largest) | texts a second | × defaults | × best batch | setting "
        "| share of bf16 products | texts with the pipeline's entities | memory, MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, each in sorted(peers.items(), key=lambda item: -middles[item[0]]):
        seconds = statistics.median(each["seconds"])
        ratios = [f"{middles[name] / middles[base]:.1f}" if base in middles else "" for base in (DEFAULTS, BEST)]
        share = f"{100 * each['operations'] / seconds / top[1]:.0f} %" if top else ""
        alike = figures["same"].get(name)
        same = "" if alike is None or "spaCy" in name else f"{100 * alike:.1f} %"
        setting = each["setting"] or ""
        cells = [name, _spread(rates[name]), f"{each['texts'] / seconds:,.0f}", *ratios, str(setting), share, same]
        lines.append("| " + " | ".join([*cells, f"{each['peak_mb']:,.0f}"]) + " |")
    return [*lines, *_against_padded(peers, middles), *_missing(figures)]


def _against_padded(peers: Figures, middles: dict[str, float]) -> list[str]:
    ours = {name: middles[name] for name, each in peers.items() if each["kind"] == "ours"}
    padded = {name: middles[name] for name, each in peers.items() if each["kind"] == "padded"}
    if not ours or not padded:
        return []
    best, other = max(ours, key=lambda name: ours[name]), max(padded, key=lambda name: padded[name])
    ratio = ours[best] / padded[other]
    return ["", f"{best} against the quickest engine in a loop of its own ({other}): {ratio:.2f} ×."]


def _missing(figures: Figures) -> list[str]:
    return ["", *(f"- {name} could not be had: {why}" for name, why in figures["missing"].items())] * bool(
        figures.get("missing")
    )


def _rates(figures: Figures) -> list[str]:
    peers = figures["peers"]
    whole = max(peers.values(), key=lambda each: each["texts"])
    lines = [
        "### Sentences to entities",
        "",
        f"CoNLL-2003 test as raw text, every second sentence: {whole['texts']:,} sentences of {whole['subtokens']:,} "
        "sub-tokens; the slow ones read a part of them. One peer works while all others wait; who begins changes from "
        "round to round. Same weights in all (spaCy: its own head). The setting is the batch size, or for engines in a "
        "loop of their own the sub-tokens of a batch, the quickest of several. Peers feed zeros as segment ids, "
        "Tagline word shapes, and it cuts text into sentences first: that is why answers differ.",
        "",
        *_rate_table(figures),
    ]
    if top := machine_rate(figures):
        lines += [
            "",
            f"bf16 products of the layers' own shapes: {top[1] / 1e9:,.0f} Gflop/s ({top[0]}). The share counts "
            "the products of a text without padding: 2 T (4 H² + 2 H I) + 4 T² H a layer, and the head.",
        ]
    return lines


def _base(figures: Figures) -> list[str]:
    lines = ["### The same with BERT base's shape", "", "12 layers of 768, random weights.", "", *_rate_table(figures)]
    if top := machine_rate(figures):
        lines += ["", f"bf16 products of its layers' shapes: {top[1] / 1e9:,.0f} Gflop/s ({top[0]})."]
    return lines


def _lengths(figures: Figures) -> list[str]:
    words = list(figures["words"])
    rates = {length: engines_plot.speeds(each["peers"]) for length, each in figures["words"].items()}
    lines = [
        "### Texts of several lengths",
        "",
        "Sub-tokens a second; the pipelines are given `stride=63`, since by default they lose what stands behind "
        "sub-token 512. The others read windows of 256 that share 63.",
        "",
        "| engine | " + " | ".join(f"{int(length):,} words | × defaults" for length in words) + " |",
        "|---" * (1 + 2 * len(words)) + "|",
    ]
    names = dict.fromkeys(name for each in rates.values() for name in each)
    for name in names:
        cells = [name]
        for length in words:
            values, base = rates[length].get(name), rates[length].get(DEFAULTS)
            cells += [_spread(values) if values else "", _times(values, base)]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, *_missing(figures)]


def _times(values: Sequence[float] | None, base: Sequence[float] | None) -> str:
    return f"{statistics.median(values) / statistics.median(base):.1f}" if values and base else ""


def _latency(figures: Figures) -> list[str]:
    middles = {name: [1000 * statistics.median(each) for each in rounds] for name, rounds in figures["seconds"].items()}
    base = statistics.median(middles[figures["base"]]) if figures["base"] in middles else None
    lines = [
        "### One sentence",
        "",
        f"{figures['texts']} sentences one after another; the median of each round, in milliseconds.",
        "",
        "| engine | ms (smallest to largest) | share of the pipeline's |",
        "|---|---|---|",
    ]
    for name, values in sorted(middles.items(), key=lambda item: statistics.median(item[1])):
        share = f"{statistics.median(values) / base:.2f}" if base else ""
        lines.append(f"| {name} | {_spread(values, 2)} | {share} |")
    return [*lines, *_missing(figures)]


def _start(figures: Figures) -> list[str]:
    seconds = figures["seconds"]
    base = statistics.median(seconds[figures["base"]])
    lines = [
        "### Process start to the first entities",
        "",
        "| command | seconds (smallest to largest) | share of the pipeline's |",
        "|---|---|---|",
    ]
    for name, values in seconds.items():
        lines.append(f"| {name} | {_spread(values, 2)} | {statistics.median(values) / base:.2f} |")
    return lines


def _labels(figures: Figures) -> list[str]:
    lines = [
        "### Labels against PyTorch in f32",
        "",
        "CoNLL-2003 test, gold words.",
        "",
        "| engine | tags changed | largest change of a probability | strict F1 |",
        "|---|---|---|---|",
    ]
    for name, each in figures.items():
        changed = f"{100 * each['changed']:.3f} % of {each['words']:,}" if "changed" in each else "–"
        largest = f"{each['largest']:.4f}" if "largest" in each else "–"
        lines.append(f"| {name} | {changed} | {largest} | {100 * each['f1']:.2f} |")
    return lines


def _mates(figures: Figures) -> list[str]:
    lines = [
        "### Whatever the batch mates",
        "",
        "Each sentence alone, all at once, and all shuffled in batches of 4,096 sub-tokens: entities that come out "
        "in all three ways, of those that come out in any.",
        "",
        "| engine | entities | the same | sentences alike |",
        "|---|---|---|---|",
    ]
    for name, each in figures.items():
        same = 100 * each["same"] / max(1, each["spans"])
        alike = 100 * each["texts_alike"] / max(1, each["texts"])
        lines.append(f"| {name} | {each['spans']:,} | {same:.3f} % | {alike:.3f} % |")
    return lines


def _long(figures: Figures) -> list[str]:
    lines = [
        "### Very long texts",
        "",
        f"One text, Tagline {figures['precision']}.",
        "",
        "| characters | sub-tokens | seconds | sub-tokens a second | entities | memory before, at its peak, MB |",
        "|---|---|---|---|---|---|",
    ]
    for characters, each in figures["texts"].items():
        rate = each["subtokens"] / each["seconds"]
        memory = f"{each['before_mb']:,.0f}, {each['peak_mb']:,.0f}"
        lines.append(
            f"| {int(characters):,} | {each['subtokens']:,} | {each['seconds']:.1f} | {rate:,.0f} | "
            f"{each['entities']:,} | {memory} |"
        )
    return lines


def _size(figures: Figures) -> list[str]:
    names = {"tagline": "`pip install .`", "transformers": "what the pipeline is measured in"}
    lines = ["### Installed size", "", "| environment | MB on disk | largest parts, MB |", "|---|---|---|"]
    for name, parts in figures.items():
        if models := parts.get(SHIPPED):
            lines.append(f"| {names[name]}, its models left out | {(sum(parts.values()) - models) / 1e6:,.0f} | |")
        largest = ", ".join(f"{part} {size / 1e6:.0f}" for part, size in list(parts.items())[:6])
        lines.append(f"| {names.get(name, name)} | {sum(parts.values()) / 1e6:,.0f} | {largest} |")
    return [*lines, "", "pip and setuptools left out; compiled Python files counted."]


def _train(figures: Figures) -> list[str]:
    rates = {name: [run["rate"] for run in runs] for name, runs in figures["runs"].items()}
    base = statistics.median(rates[figures["base"]])
    lines = [
        "### Training",
        "",
        f"{figures['sentences']:,} sentences of CoNLL-2003 train, MiniLM, {figures['batch']} sentences a step; whole "
        "processes in turn, the first steps of each not counted. Sub-tokens without padding and special ones.",
        "",
        "| loop | sub-tokens a second (smallest to largest) | × |",
        "|---|---|---|",
    ]
    for name, values in rates.items():
        lines.append(f"| {name} | {_spread(values)} | {statistics.median(values) / base:.1f} |")
    return lines


def _train_f1(figures: Figures) -> list[str]:
    scores = [100 * run["f1"] for run in figures["runs"]]
    each = ", ".join(f"{score:.2f}" for score in scores)
    return [
        "### F1 of the other script",
        "",
        f"run_ner's defaults (three passes, 5e-5) with {figures['batch']} sentences a step, CoNLL-2003 test, strict: "
        f"{each}; mean **{statistics.mean(scores):.2f}**.",
    ]


def _versions(records: dict[str, Any]) -> list[str]:
    if "rates" not in records:
        return []
    lines = ["### Versions", "", "| peer | versions |", "|---|---|"]
    for name, each in records["rates"]["figures"]["peers"].items():
        lines.append(f"| {name} | {', '.join(f'{package} {number}' for package, number in each['versions'].items())} |")
    return lines


if __name__ == "__main__":
    main()
