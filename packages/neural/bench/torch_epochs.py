"""PyTorch on the workload of train.ts: for each line on standard input one epoch, answered by a line of JSON.

    python torch_epochs.py lstm 1        # cell, threads

The first line printed names the version. Data are random numbers of the shape of the real training file.
"""

import json
import sys
import time

import torch

ROWS, FEATURES, WINDOW, HIDDEN, LAYERS, BATCH, RATE, CLIP = 15927, 17, 10, 128, 2, 64, 1e-4, 1.0


class Forecaster(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
        self.recurrent = kind(FEATURES, HIDDEN, LAYERS, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, 1)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


def main(cell, threads):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    table = torch.rand(ROWS, FEATURES)
    x = table.unfold(0, WINDOW, 1)[:-1].transpose(1, 2).contiguous()
    y = table[WINDOW:, :1].contiguous()
    model = Forecaster(cell)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    print(json.dumps({"version": torch.__version__.split("+")[0]}), flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        order = torch.randperm(len(x))
        for first in range(0, len(x), BATCH):
            batch = order[first:first + BATCH]
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x[batch]), y[batch])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            loss.item()
        print(json.dumps({"seconds": time.perf_counter() - wall, "cpuSeconds": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
