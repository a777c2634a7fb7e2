"""The page says what calibration has done, where the model knows."""

from __future__ import annotations

from tagline.evaluate.calibration import Calibration
from tagline.report.blocks import Note
from tagline.report.entities import Source, calibration_sections

FACTS = {"temperature": 1.25, "ece_before": 0.0812, "ece_after": 0.0231, "dev_nll_before": 0.5, "dev_nll_after": 0.4}


def test_before_and_after_stand_beside_the_chart() -> None:
    calibration = Calibration.of([0.9, 0.8, 0.7], [True, True, False])
    (section,) = calibration_sections(Source("m", "d", calibration=FACTS), calibration, "answers")
    note = section.blocks[-1]
    assert isinstance(note, Note)
    for part in ("0.0812 before", "0.0231 after", "1.250"):
        assert part in str(note)
    (plain,) = calibration_sections(Source("m", "d"), calibration, "answers")
    assert len(plain.blocks) == len(section.blocks) - 1
    assert calibration_sections(Source("m", "d"), None, "answers") == []
