"""The paper's own figures as ratios, to stand beside ours (CDM, KDD'24, Tables 2 and 3)."""

METRICS = ("recall", "mrr", "ilad_category", "category_coverage")
"""What the four numbers of a row are; the paper does not say by what its ILAD compares items."""

OVER_DCN = {
    3: {
        "ipw": (0.961, 0.992, 0.998, 0.999),
        "dpp": (0.877, 0.928, 1.174, 1.142),
        "ssd": (0.929, 0.954, 1.084, 1.030),
        "mmr_item": (1.048, 1.037, 1.051, 1.017),
        "cdm": (1.114, 1.073, 1.101, 1.057),
    },
    5: {
        "ipw": (1.008, 1.012, 1.005, 1.014),
        "dpp": (0.721, 0.738, 1.228, 1.155),
        "ssd": (0.916, 0.802, 1.103, 1.112),
        "mmr_item": (0.975, 0.982, 1.059, 1.060),
        "cdm": (1.092, 1.060, 1.130, 1.092),
    },
    20: {
        "ipw": (0.952, 0.931, 1.025, 1.028),
        "dpp": (0.797, 0.804, 1.254, 1.205),
        "ssd": (0.843, 0.795, 1.161, 1.079),
        "mmr_item": (1.025, 1.022, 1.088, 1.112),
        "cdm": (1.140, 1.129, 1.129, 1.141),
    },
    50: {
        "ipw": (0.947, 0.921, 1.048, 1.037),
        "dpp": (0.844, 0.764, 1.270, 1.172),
        "ssd": (0.861, 0.824, 1.145, 1.086),
        "mmr_item": (1.057, 1.011, 1.176, 1.083),
        "cdm": (1.149, 1.123, 1.222, 1.112),
    },
}
"""Ratios to DCN by K (3 and 5: JingDong, 20 and 50: KuaiShou) and by training or re-ranking."""

OVER_CDM = {
    5: {"no_infonce": (0.950, 0.956, 0.967, 0.989), "no_cce": (0.875, 0.931, 1.003, 0.998)},
    50: {"no_infonce": (0.944, 0.898, 0.955, 0.975), "no_cce": (0.918, 0.879, 0.949, 0.971)},
}
"""The ablation's ratios to the full CDM."""


def beside(
    table: dict[int, dict[str, tuple[float, ...]]], k: int, names: tuple[str, ...], metric: str
) -> float | None:
    """Return the paper's ratio of a method, known by any of its names; None where it has none."""
    row = next((table[k][name] for name in names if name in table.get(k, {})), None)
    return row[METRICS.index(metric)] if row and metric in METRICS else None
