"""Quantises an ONNX graph dynamically to int8, as ONNX Runtime's own tool does it: python -m ... FROM TO."""

from __future__ import annotations

import sys

from onnxruntime.quantization import QuantType, quantize_dynamic


def main() -> None:
    """Command line."""
    source, target = sys.argv[1:]
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)


if __name__ == "__main__":
    main()
