"""Bootstrap intervals over requests, paired where two methods rank the same requests."""

import numpy as np

DRAWS = 1000
LEVEL = 0.95


class Bootstrap:
    """The same resamples of n requests for every figure, so that differences are paired."""

    def __init__(self, n: int, seed: int) -> None:
        """Draw how often each request stands in each resample: counts [draws, n]."""
        rng = np.random.default_rng(seed)
        self._counts = np.empty((DRAWS, n), np.float32)
        for draw in range(DRAWS):
            self._counts[draw] = np.bincount(rng.integers(n, size=n), minlength=n)

    def ratio(
        self,
        top: np.ndarray,
        bottom: np.ndarray | None = None,
        minus: np.ndarray | None = None,
    ) -> tuple[float, float, float, int]:
        """Return sum(top) / sum(bottom) over requests with its interval, and the requests counted.

        All arrays are [n]; NaN in `top` leaves a request out. Without `bottom` it is the mean.
        With `minus` it is the difference to the same ratio of `minus`. NaN where nothing counts.
        """
        counted = ~np.isnan(top)
        if minus is not None:
            counted &= ~np.isnan(minus)
            top = top - minus
        if not counted.any():
            return (float("nan"),) * 3 + (0,)
        weight = np.ones(len(top)) if bottom is None else bottom
        above = np.where(counted, top, 0.0)
        below = np.where(counted, weight, 0.0)
        value = above.sum() / below.sum()
        divisor = self._counts @ below
        draws = (self._counts @ above)[divisor > 0] / divisor[divisor > 0]
        tail = 100 * (1 - LEVEL) / 2
        low, high = np.percentile(draws, [tail, 100 - tail])
        return float(value), float(low), float(high), int(counted.sum())
