"""`POST /predict` on FastAPI: the checks, the time features and the answer of ours, less intervals. Run by uvicorn."""

import math

import numpy as np
import orjson
from fastapi import FastAPI, HTTPException, Request, Response

from model import MANIFEST, forecast

app = FastAPI()

COLUMNS = MANIFEST["columns"]
TARGETS = MANIFEST["targets"]
WINDOW = MANIFEST["window"]
STEP = np.timedelta64(int(MANIFEST["step_ms"]), "ms")
FEATURES = ["min_of_day", "day_of_week", "day_of_year"]
PERIODS = {"min_of_day": 1440, "day_of_week": 7, "day_of_year": 365.25}
MEASUREMENTS = [name for name in COLUMNS if name.rsplit("_", 1)[0] not in FEATURES]
TIME_COLUMNS = ["ts", "timestamp", "time", "date"]
MAX_NUMBER = 1e30


def refuse(detail):
    raise HTTPException(400, detail)


def read_columns(data):
    if not data:
        refuse("Request payload must include a non-empty 'data' object")
    if not isinstance(data, dict):
        refuse("'data' must be an object mapping column names to arrays")
    if not all(isinstance(cells, list) for cells in data.values()):
        refuse("Failed to interpret 'data' payload")
    if len({len(cells) for cells in data.values()}) > 1:
        refuse("Failed to interpret 'data' payload: All arrays must be of the same length")
    return data


def read_times(columns):
    name = next((name for name in TIME_COLUMNS if name in columns), None)
    if name is None:
        refuse("Request must include a timestamp column (index_col or ts/time/timestamp)")
    try:
        times = np.array(columns[name], dtype="datetime64[ms]")
    except (TypeError, ValueError):
        refuse(f"Column '{name}' contains invalid timestamps")
    if np.isnat(times).any():
        refuse(f"Column '{name}' contains invalid timestamps")
    order = None if (times[1:] > times[:-1]).all() else np.argsort(times, kind="stable")
    if order is not None and (np.diff(times[order]) == np.timedelta64(0, "ms")).any():
        refuse("Duplicate timestamps")
    return times, order


def read_numbers(columns, name):
    try:
        numbers = np.array(columns[name], dtype=np.float64)
    except (TypeError, ValueError):
        refuse(f"Columns contain non-numeric values: {name}")
    if (np.abs(numbers) > MAX_NUMBER).any():
        refuse(f"Columns contain values beyond {MAX_NUMBER}: {name}")
    return numbers


def features_of(times):
    """The sine and cosine of the minute of the day, the day of the week and of the year."""
    days = times.astype("datetime64[D]")
    parts = {
        "min_of_day": (times - days).astype("timedelta64[m]").astype(np.int64),
        "day_of_week": (days.astype(np.int64) + 3) % 7,
        "day_of_year": (days - times.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1,
    }
    features = {}
    for name, values in parts.items():
        angles = values * (2 * math.pi / PERIODS[name])
        features[f"{name}_sin"] = np.sin(angles)
        features[f"{name}_cos"] = np.cos(angles)
    return features


@app.post("/predict")
async def predict(request: Request):
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        refuse(f"Request body is not valid JSON: {error}")
    columns = read_columns(body.get("data"))
    times, order = read_times(columns)
    missing = [name for name in MEASUREMENTS if name not in columns]
    if missing:
        refuse(f"Missing required feature columns: {', '.join(sorted(missing))}")
    if len(times) < WINDOW:
        refuse(f"Insufficient rows: the model needs {WINDOW} rows of history, the request has {len(times)}")
    numbers = {name: read_numbers(columns, name) for name in MEASUREMENTS}
    if order is not None:
        times = times[order]
        numbers = {name: values[order] for name, values in numbers.items()}
    last = times[-WINDOW:]
    cells = {**{name: values[-WINDOW:] for name, values in numbers.items()}, **features_of(last)}
    window = np.stack([cells[name] for name in COLUMNS], axis=1)[None]
    values = forecast(window)[0, 0]
    if not np.isfinite(values).all():
        refuse("No finite forecast follows from these values: they lie far outside the training data")
    row = dict.fromkeys(MEASUREMENTS)
    row.update(zip(TARGETS, values.tolist()))
    answer = {"status": "SUCCESS", "predictions": [{"ts": str((last[-1] + STEP).astype("datetime64[s]")), **row}]}
    return Response(orjson.dumps(answer), media_type="application/json")
