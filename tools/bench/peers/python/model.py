"""The exported model as every peer runs it: one thread, as one replica of ours has one for computing."""

import json
import os

import onnxruntime

FOLDER = os.environ["PEER_MODEL"]

with open(os.path.join(FOLDER, "manifest.json")) as file:
    MANIFEST = json.load(file)

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    os.path.join(FOLDER, "model.onnx"), options, providers=["CPUExecutionProvider"]
)


def forecast(window):
    """[n, window, columns] raw units in float64 to [n, horizon, targets]."""
    return session.run(["forecast"], {"window": window})[0]
