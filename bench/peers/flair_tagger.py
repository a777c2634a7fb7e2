"""Flair's SequenceTagger over TransformerWordEmbeddings, with the folder's encoder and head. Options: `threads`."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from peers.wire import Entity, serve

warnings.filterwarnings("ignore")


class Flair:
    """Reads texts with `predict`; `setting` is its mini batch, None leaves the default of 32."""

    def __init__(self, options: dict[str, Any]) -> None:
        import torch

        torch.set_num_threads(options["threads"])
        logging.disable(logging.WARNING)
        data, embeddings = import_module("flair.data"), import_module("flair.embeddings")
        folder = Path(options["folder"])
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kinds = data.Dictionary(add_unk=False)
        kinds.span_labels = True
        for label in sorted({label[2:] for label in config["id2label"].values() if label != "O"}):
            kinds.add_item(label)
        self.tagger = import_module("flair.models").SequenceTagger(
            embeddings=embeddings.TransformerWordEmbeddings(str(folder), layers="-1", subtoken_pooling="first"),
            tag_dictionary=kinds, tag_type="ner", tag_format="BIO", use_rnn=False, use_crf=False,
            reproject_embeddings=False, word_dropout=0.0, locked_dropout=0.0,
        )  # fmt: skip
        self.tagger.eval()
        _head(self.tagger, config["label2id"], folder)
        self._sentence = data.Sentence
        self.setting: int | None = None

    def read(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Entities of each text."""
        sentences = [self._sentence(text) for text in texts]
        self.tagger.predict(sentences, mini_batch_size=self.setting or 32)
        return [
            [(each.tag, each.start_position, each.end_position) for each in sentence.get_spans("ner")]
            for sentence in sentences
        ]


def _head(tagger: Any, labels: dict[str, int], folder: Path) -> None:
    """Copies the head; tags that the folder does not know are never chosen."""
    import torch

    weights = import_module("safetensors.torch").load_file(folder / "model.safetensors")
    with torch.no_grad():
        for row, tag in enumerate(tagger.label_dictionary.get_items()):
            known = labels.get(tag)
            tagger.linear.weight[row] = 0.0 if known is None else weights["classifier.weight"][known]
            tagger.linear.bias[row] = -100.0 if known is None else weights["classifier.bias"][known]


if __name__ == "__main__":
    serve(Flair)
