"""What `tagline train` does about test data that stands in the training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tagline.cli import options as shared

if TYPE_CHECKING:
    from tagline.data.audit.overlap import Overlap
    from tagline.data.audit.parts import AnyCorpus
    from tagline.folder import Manifest

C = TypeVar("C")


@dataclass(frozen=True)
class Leakage:
    """What was found, and what follows from it.

    Attributes:
        facts: by role, the overlap with the training data, where there is a leak.
        withheld: roles whose scores are not reported.
    """

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    def judged(self, corpora: Mapping[str, C]) -> dict[str, C]:
        """The corpora that are judged, and train."""
        return {role: corpus for role, corpus in corpora.items() if role not in self.withheld}

    def marked(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """The scores, those on leaked data marked."""
        for role, facts in self.facts.items():
            if role in metrics:
                metrics[role]["leaked"] = {name: facts[name] for name in ("same", "counted", "share_of_words")}
        if self.withheld:
            shared.warn("the test score is not reported, since the test data stands in the training data (see above)")
        return metrics

    def noted(self, manifest: Manifest) -> Manifest:
        """The manifest that says so."""
        if not self.facts:
            return manifest
        return replace(manifest, training={**manifest.training, "leakage": self.facts})


def check_leakage(corpora: Mapping[str, AnyCorpus], allowed: bool) -> Leakage:
    """Looks for texts that stand in two roles and says what that means; linear, and before any work.

    Args:
        corpora: by role.
        allowed: whether a score on leaked test data is reported all the same.
    """
    from tagline.data.audit.overlap import find_overlaps

    facts = {}
    for overlap in find_overlaps(corpora):
        if not overlap.same:
            continue
        withheld = overlap.leaked and (overlap.known, overlap.judged) == ("train", "test") and not allowed
        shared.warn(f"{overlap.describe()}: {_meaning(overlap, allowed)}")
        if overlap.leaked and overlap.known == "train":
            facts[overlap.judged] = {**overlap.to_dict(), "reported": not withheld}
    return Leakage(facts, frozenset(role for role, each in facts.items() if not each["reported"]))


def _meaning(overlap: Overlap, allowed: bool) -> str:
    limit = f"{100 * overlap.limit:g} %"
    if not overlap.leaked:
        return f"no leak (at most {limit} of the words), but they make its score look a little better than it is"
    if overlap.judged == "dev":
        return f"A LEAK (more than {limit} of the words). The best epoch will be chosen on text that was learned"
    if overlap.known == "dev":
        return f"A LEAK (more than {limit} of the words). The best epoch will be chosen on the text of the test"
    leak = f"THE TEST DATA HAS LEAKED INTO THE TRAINING DATA (more than {limit} of the words)"
    if allowed:
        return f"{leak}; its score is reported, marked as leaked, because of --allow-leakage"
    return (
        f"{leak}. The test score will not be reported. Take the copies out, or make new parts with tagline split; "
        "--allow-leakage reports it all the same"
    )
