"""The main figure of a model on an annotated corpus, whichever its task."""

from __future__ import annotations

from typing import Any

from tagline.data.corpus import Corpus
from tagline.data.texts.corpus import TextCorpus
from tagline.engines import EngineSettings, open_engine
from tagline.folder import ModelFolder
from tagline.predict.classifier import Classifier
from tagline.predict.judging import judge
from tagline.predict.tagger import Tagger
from tagline.predict.text_judging import judge_texts


def headline(folder: ModelFolder, corpus: Corpus | TextCorpus, settings: EngineSettings) -> tuple[str, float, Any]:
    """(name of the figure, its value in [0, 1], the whole report).

    The figure is strict F1 for entities; for texts what `TextReport.headline` names.
    """
    engine = open_engine(folder, settings)
    if isinstance(corpus, Corpus):
        report = judge(Tagger(folder, engine), corpus).report
        return "F1", report.strict.overall.f1, report
    texts = judge_texts(Classifier(folder, engine), corpus).report
    return (*texts.headline, texts)
