"""BentoML's own route, with a bare tensor in and out."""

import bentoml
import numpy as np

from model import forecast


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Forecaster:
    @bentoml.api
    async def infer(self, window: np.ndarray) -> np.ndarray:
        return forecast(window.astype(np.float64, copy=False))
