"""Writes a Hugging Face folder's model as an ONNX graph in f32: python -m peers.export_onnx FOLDER FILE."""

from __future__ import annotations

import sys
from typing import Any

import torch
from transformers import AutoModelForTokenClassification

NAMES = ("input_ids", "attention_mask", "token_type_ids")


class _Logits(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        found = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return found.logits


def main() -> None:
    """Command line."""
    folder, target = sys.argv[1:]
    model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.arange(2 * 7).reshape(2, 7)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    axes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with torch.no_grad():
        program = torch.onnx.export(
            _Logits(model).eval(), (ids, mask, torch.zeros_like(ids)), dynamo=True,
            dynamic_shapes=(axes,) * len(NAMES), input_names=NAMES, output_names=["logits"], opset_version=18,
            verbose=False,
        )  # fmt: skip
    assert program is not None
    program.save(target, external_data=False)


if __name__ == "__main__":
    main()
