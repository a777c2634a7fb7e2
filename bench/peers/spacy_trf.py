"""spaCy with the same encoder under its own NER. Options: `threads`.

The encoder's weights are the folder's; spaCy's parser on top of it has random weights, so its entities mean nothing.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from peers.wire import Entity, serve

warnings.filterwarnings("ignore")
_LISTENER = "spacy-curated-transformers.LastTransformerLayerListener.v1"


class Spacy:
    """Reads texts with `nlp.pipe`; `setting` is its batch size, None leaves the default."""

    def __init__(self, options: dict[str, Any]) -> None:
        import spacy
        import torch

        torch.set_num_threads(options["threads"])
        folder = Path(options["folder"])
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        nlp = spacy.blank("en")
        nlp.add_pipe("curated_transformer", config={"model": _encoder(config)})
        listener = {"@architectures": _LISTENER, "width": config["hidden_size"], "upstream": "*",
                    "pooling": {"@layers": "reduce_mean.v1"}}  # fmt: skip
        parser = {
            "@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "extra_state_tokens": False,
            "hidden_width": 64, "maxout_pieces": 2, "use_upper": False, "tok2vec": listener,
        }  # fmt: skip
        ner: Any = nlp.add_pipe("ner", config={"model": parser})
        for label in sorted({label[2:] for label in config["id2label"].values() if label != "O"}):
            ner.add_label(label)
        model: Any = nlp.get_pipe("curated_transformer").model  # type: ignore[attr-defined]
        _vocabulary(model.get_ref("piece_encoder"), folder)
        nlp.initialize()
        _weights(model.get_ref("transformer").shims[0]._model, folder)
        self.nlp = nlp
        self.setting: int | None = None

    def read(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Entities of each text."""
        return [
            [(each.label_, each.start_char, each.end_char) for each in document.ents]
            for document in self.nlp.pipe(texts, batch_size=self.setting)
        ]


def _encoder(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "@architectures": "spacy-curated-transformers.BertTransformer.v1",
        "vocab_size": config["vocab_size"],
        "hidden_width": config["hidden_size"],
        "intermediate_width": config["intermediate_size"],
        "num_hidden_layers": config["num_hidden_layers"],
        "num_attention_heads": config["num_attention_heads"],
        "type_vocab_size": config["type_vocab_size"],
        "piece_encoder": {"@architectures": "spacy-curated-transformers.BertWordpieceEncoder.v1"},
        "with_spans": {"@architectures": "spacy-curated-transformers.WithStridedSpans.v1"},
    }


def _vocabulary(pieces: Any, folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    processor = import_module("curated_tokenizers").WordPieceProcessor
    pieces.attrs["wordpiece_processor"] = processor(sorted(vocabulary, key=lambda piece: int(vocabulary[piece])))
    pieces.attrs["lowercase"] = pieces.attrs["strip_accents"] = True


def _weights(encoder: Any, folder: Path) -> None:
    weights = import_module("safetensors.torch").load_file(folder / "model.safetensors")
    convert = import_module("curated_transformers.models.hf_util").convert_pretrained_model_for_encoder
    own = {name.removeprefix("bert."): values for name, values in weights.items() if name.startswith("bert.")}
    encoder.load_state_dict(convert(encoder, own))
    encoder.eval()


if __name__ == "__main__":
    serve(Spacy)
