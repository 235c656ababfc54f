"""The benchmark of validation, on a handful of requests: its day is one that holds or does not."""

import re

from benchmarks import validation


def test_both_days_are_validated_and_timed(tmp_path, capfd):
    for name, flags in (("good", []), ("broken", ["--broken"])):
        folder = str(tmp_path / name)
        assert validation.main(["--folder", folder, "--rows", "6000", *flags]) == 0
        told = capfd.readouterr()
        assert re.search(r"^\| 6,000 \| [\d.]+ \| [\d.]+ \|$", told.out, re.MULTILINE)
        assert ("FAILED request_logs.label" in told.out) == (name == "broken")
        assert told.out.count("candidate_sets.label: expected null where exposed is 0") == (
            2 if name == "broken" else 0
        )
