"""What Python's own clients get from a replica, and what onnxruntime makes of the same model: numbers as JSON, by the way they came.

usage: serving.py URL MODEL.onnx < {"window": [[...]], "columns": {"ts": [ms], ...}}
"""

import json
import sys
import urllib.request

import numpy as np
import onnxruntime
import pyarrow as pa
import tritonclient.http as oip
from tritonclient.utils import InferenceServerException

url, model = sys.argv[1:]
given = json.load(sys.stdin)
window = np.array(given["window"], dtype=np.float64)


def by_protocol(datatype, dtype):
    client = oip.InferenceServerClient(url.removeprefix("http://"))
    tensor = oip.InferInput("window", list(window[None].shape), datatype)
    tensor.set_data_from_numpy(window[None].astype(dtype), binary_data=False)
    result = client.infer("default", [tensor], request_id="a")
    return [float(result.as_numpy(name).ravel()[0]) for name in ("forecast", "lower", "upper")]


def refusal():
    client = oip.InferenceServerClient(url.removeprefix("http://"))
    tensor = oip.InferInput("window", [1, 1], "FP64")
    tensor.set_data_from_numpy(np.zeros((1, 1)), binary_data=False)
    try:
        client.infer("default", [tensor])
    except InferenceServerException as error:
        return [error.status(), error.message()]


def by_arrow():
    columns = dict(given["columns"])
    times = pa.array(columns.pop("ts"), type=pa.timestamp("ms"))
    table = pa.table({"ts": times, **{name: pa.array(cells, type=pa.float64()) for name, cells in columns.items()}})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    headers = {"content-type": "application/vnd.apache.arrow.stream"}
    request = urllib.request.Request(f"{url}/predict/bulk", sink.getvalue().to_pybytes(), headers)
    with urllib.request.urlopen(request) as response:
        answer = pa.ipc.open_stream(response.read()).read_all()
    return [answer[name][0].as_py() for name in ("down", "down_lower", "down_upper")]


def by_onnxruntime():
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return float(session.run(["forecast"], {"window": window[None]})[0].ravel()[0])


client = oip.InferenceServerClient(url.removeprefix("http://"))
metadata = client.get_model_metadata("default")
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready() and client.is_model_ready("default", metadata["versions"][0]),
            "server": client.get_server_metadata()["name"],
            "inputs": [tensor["name"] for tensor in metadata["inputs"]],
            "fp64": by_protocol("FP64", np.float64),
            "fp32": by_protocol("FP32", np.float32),
            "arrow": by_arrow(),
            "onnxruntime": by_onnxruntime(),
            "refusal": refusal(),
        }
    )
)
