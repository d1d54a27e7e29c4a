"""The Open Inference Protocol by MLServer: a runtime that hands tensors to onnxruntime and back."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from model import forecast


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        window = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float64, copy=False)
        output = NumpyCodec.encode_output("forecast", forecast(window))
        return InferenceResponse(model_name=self.name, outputs=[output])
