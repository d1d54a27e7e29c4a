"""The same steps with pandas and scikit-learn: CSV, column means, time features, min-max limits of the train file, parquet."""

import json
import os
import sys
import time

import numpy as np
import pandas as pd
import sklearn
from sklearn.preprocessing import MinMaxScaler

train_path, test_path, runs, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]


def features(path):
    frame = pd.read_csv(path, parse_dates=["time"]).set_index("time").astype("float64")
    frame = frame.fillna(frame.mean())
    index = frame.index
    for name, value, period in (
        ("min_of_day", index.hour * 60 + index.minute, 1440),
        ("day_of_week", index.day_of_week, 7),
        ("day_of_year", index.day_of_year, 365.25),
    ):
        frame[f"{name}_sin"] = np.sin(2 * np.pi * value / period)
        frame[f"{name}_cos"] = np.cos(2 * np.pi * value / period)
    return frame


def once():
    train, test = features(train_path), features(test_path)
    scaler = MinMaxScaler().fit(train)
    for frame, name in ((train, "train"), (test, "test")):
        scaled = pd.DataFrame(scaler.transform(frame), index=frame.index, columns=frame.columns)
        scaled.to_parquet(os.path.join(folder, f"{name}.parquet"))


seconds = []
for _ in range(runs):
    begun = time.perf_counter()
    once()
    seconds.append(time.perf_counter() - begun)
print(json.dumps({"peer": f"pandas {pd.__version__}, scikit-learn {sklearn.__version__}", "seconds": min(seconds)}))
