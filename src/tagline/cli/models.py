"""`tagline models`: models by name: those at hand, the hub, packages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_CALLED = "list, show NAME, pull HUB_NAME, push FOLDER HUB_NAME, package MODEL"


def models(
    action: Annotated[str, typer.Argument(metavar="ACTION", help=f"What to do: {_CALLED}.")] = "list",
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="What it is done to.", show_default=False)
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Of pull: branch, tag or commit.", show_default=False)] = None,
    private: Annotated[bool, typer.Option("--private", help="Of push: a new model is private.")] = False,
    message: Annotated[str | None, typer.Option(help="Of push: the commit's message.", show_default=False)] = None,
    output: Annotated[Path | None, typer.Option("-o", help="Of package: folder for the wheel.")] = None,
    json_out: Json = False,
) -> None:
    """List the models at hand; show one; fetch one from the Hugging Face hub or put one there; make a wheel of one."""
    count, work = {
        "list": (0, _list), "show": (1, _show), "pull": (1, _pull), "push": (2, _push), "package": (1, _package),
    }.get(action, (0, None))  # fmt: skip
    given = names or []
    if work is None:
        raise UsageError(f"models got {action!r}; accepted are {_CALLED}")
    if len(given) != count:
        raise UsageError(f"models {action} got {len(given)} names, expected {count}; type one of: {_CALLED}")
    options = {"revision": revision, "private": private, "message": message, "output": output}
    found, lines = work(given, options)
    sys.stdout.write((json.dumps(found, ensure_ascii=False) if json_out else "\n".join(lines)) + "\n")


def _list(names: list[str], options: dict[str, Any]) -> tuple[Any, list[str]]:
    from tagline import hub
    from tagline.names import all_packaged, shipped

    rows = [_row(name, "shipped", path) for name, path in sorted(shipped().items())]
    rows += [_row(name, "package", path) for name, path in all_packaged().items()]
    for each in hub.all_cached():
        for commit, path in each.commits.items():
            called = [revision for revision, known in each.revisions.items() if known == commit]
            rows.append({**_row(each.repo, "cache", path), "commit": commit, "revisions": called})
    width = max([len(row["name"]) for row in rows], default=0)
    lines = [
        f"{row['name']:<{width}}  {row['from']:<7}  {row['task']:<20}  {row['bytes'] / 1e6:6.1f} MB"
        + (f"  {row['commit'][:12]}" if "commit" in row else "")
        for row in rows
    ]
    return rows, lines or ["no models; type: tagline models pull owner/model"]


def _row(name: str, source: str, path: Path) -> dict[str, Any]:
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    texts = any("Sequence" in str(each) for each in config.get("architectures") or ())
    size = sum(each.stat().st_size for each in path.iterdir() if each.is_file())
    task = "text-classification" if texts else "token-classification"
    return {"name": name, "from": source, "task": task, "path": str(path), "bytes": size}


def _show(names: list[str], options: dict[str, Any]) -> tuple[Any, list[str]]:
    from tagline.folder import CARD, ModelFolder

    folder = ModelFolder.open(names[0])
    manifest = folder.manifest
    card = (folder.path / CARD).read_text(encoding="utf-8") if folder.has(CARD) else None
    found = {
        "name": names[0], "path": str(folder.path), "task": manifest.task, "labels": list(folder.labels),
        "family": folder.config.get("model_type"), "only_reads": folder.only_reads, "metrics": manifest.metrics,
        "version": manifest.version, "card": card,
    }  # fmt: skip
    lines = [
        f"{names[0]}: {manifest.task}, {found['family']}, in {folder.path}",
        f"labels: {', '.join(folder.labels)}",
        *([] if card is None else ["", card.rstrip()]),
    ]
    return found, lines


def _pull(names: list[str], options: dict[str, Any]) -> tuple[Any, list[str]]:
    from tagline import hub

    name = hub.HubName.parse(names[0])
    if name is None:
        raise UsageError(f"{names[0]!r} is no name on the hub; expected owner/model or owner/model@revision")
    if options["revision"]:
        name = hub.HubName(name.repo, options["revision"])
    folder = hub.download(name)
    found = {"name": name.repo, "revision": name.revision, "commit": folder.name, "path": str(folder)}
    return found, [f"{name.repo}, commit {folder.name}: {folder}", f"pinned: {name.repo}@{folder.name}"]


def _push(names: list[str], options: dict[str, Any]) -> tuple[Any, list[str]]:
    from tagline import hub
    from tagline.folder import ModelFolder

    name = hub.HubName.parse(names[1])
    if name is None or "/" not in name.repo:
        raise UsageError(f"{names[1]!r} is no name on the hub; expected owner/model")
    folder = ModelFolder.open(names[0])
    folder.verify(folder.manifest.files)
    shared.say(f"pushing {folder.path} to {name}")
    url, commit = hub.upload(folder.path, name, options["private"], options["message"] or "Model from Tagline")
    return {"name": str(name), "url": url, "commit": commit}, [f"{url}, commit {commit}"]


def _package(names: list[str], options: dict[str, Any]) -> tuple[Any, list[str]]:
    from tagline.folder import ModelFolder
    from tagline.publish.package import write_package

    # `.` is called as the folder is, and a hub's model without its revision.
    place = Path(names[0])
    name = place.absolute().name if place.is_dir() else place.name.partition("@")[0]
    wheel = write_package(ModelFolder.open(names[0]), name, options["output"] or Path())
    lines = [f"wrote {wheel}; after: pip install {wheel}", f'it is read by: tagline.load("{name}")']
    return {"name": name, "wheel": str(wheel)}, lines
