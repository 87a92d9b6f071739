#!/usr/bin/python3
"""What one would do with Debian's python3-torch: the derivatives of the same model and panel by reverse mode, by
functorch's vmap(jvp) and by central differences, one thread.

peers.py FOLDER --out FILE.json: FOLDER as `engine_benchmark columns` writes it."""

import argparse
import json
import time
from pathlib import Path

import torch
from functorch import jvp, vmap
from torch import Tensor
from torch.nn import functional

STEP = 0.005  # of the central differences: there rounding and the kinks of the ReLUs balance in float32


def read_safetensors(path: Path) -> dict:
    """Float32 tensors by name: an 8-byte length, a JSON header, the data."""
    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = torch.frombuffer(content[start + begin : start + end], dtype=torch.float32)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


class Transformer:
    """scGPT's forward pass in plain operations, so that every kind of differentiation works."""

    def __init__(self, folder: Path):
        args = json.loads((folder / "args.json").read_text())
        self.heads, self.layers = args["nheads"], args["nlayers"]
        self.weights = read_safetensors(folder / "model.safetensors")

    def linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def norm(self, x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"])

    def attention(self, x: Tensor, name: str) -> Tensor:
        qkv = functional.linear(x, self.weights[name + "in_proj_weight"], self.weights[name + "in_proj_bias"])
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(-3, -2) for part in qkv.chunk(3, -1))
        scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-2, -1))
        context = torch.matmul(torch.softmax(scores, -1), v)
        return self.linear(context.transpose(-3, -2).flatten(-2), name + "out_proj")

    def layer(self, x: Tensor, name: str) -> Tensor:
        x = self.norm(x + self.attention(x, name + "self_attn."), name + "norm1")
        return self.norm(x + self.linear(torch.relu(self.linear(x, name + "linear1")), name + "linear2"), name + "norm2")

    def __call__(self, gene_ids: Tensor, values: Tensor) -> Tensor:
        """values [..., L] -> predictions [..., L]"""
        genes = self.norm(self.weights["encoder.embedding.weight"][gene_ids], "encoder.enc_norm")
        value = torch.relu(self.linear(values.unsqueeze(-1), "value_encoder.linear1"))
        x = genes + self.norm(self.linear(value, "value_encoder.linear2"), "value_encoder.norm")
        for k in range(self.layers):
            x = self.layer(x, f"transformer_encoder.layers.{k}.")
        x = functional.leaky_relu(self.linear(x, "decoder.fc.0"))
        x = functional.leaky_relu(self.linear(x, "decoder.fc.2"))
        return self.linear(x, "decoder.fc.4").squeeze(-1)


class Stopwatch:
    def __init__(self, clock: str, patience_s: float):
        self.now = time.perf_counter if clock == "wall" else time.process_time
        self.patience_s = patience_s

    def best(self, work):
        """(seconds of the fastest call, its result), repeated for about the patience, at least once."""
        begin, best = self.now(), float("inf")
        while True:
            start = self.now()
            result = work()
            end = self.now()
            best = min(best, end - start)
            if end - begin >= self.patience_s:
                return best, result


class Comparison:
    """The panel, its states, and the engine's columns of them."""

    def __init__(self, folder: Path, watch: Stopwatch):
        panel = json.loads((folder / "panel.json").read_text())
        model = Transformer(folder)
        gene_ids = torch.tensor(panel["gene_ids"]).long()
        self.predict = lambda values: model(gene_ids, values)
        self.watch = watch
        self.background = torch.tensor(panel["background"])
        self.sources = torch.tensor(panel["sources"]).long()
        self.count, self.length = len(self.sources), len(self.background)
        self.directions = functional.one_hot(self.sources, self.length).float()
        values = torch.tensor(panel["values"]).unsqueeze(1)
        self.states = torch.where(self.directions.bool(), values, self.background)
        self.engine = {probe: torch.tensor(panel[probe]) for probe in ("vvp+gdt", "osg")}

    def result(self, name: str, probe: str, seconds: float, column: Tensor, engine: Tensor, how: str) -> dict:
        difference = (column - engine).abs().max() / engine.abs().max()
        return {"name": name, "probe": probe, "seconds_per_column": seconds, "difference": difference.item(), "how": how}

    def reverse(self, targets: int) -> list:
        """One backward pass per target and state. Around a shared background a backward pass serves every source."""
        wanted = torch.arange(targets) * self.length // targets
        values = self.states[0].clone().requires_grad_()
        forward_s, prediction = self.watch.best(lambda: self.predict(values))
        pick = lambda: [torch.autograd.grad(prediction[j], values, retain_graph=True)[0] for j in wanted]
        seconds, rows = self.watch.best(pick)
        backward_s = seconds / targets
        column = torch.stack([row[self.sources[0]] for row in rows])
        engine = self.engine["vvp+gdt"][0][wanted]
        how = f"{targets} of {self.length} targets timed"
        return [
            self.result("reverse mode", "vvp+gdt", forward_s + self.length * backward_s, column, engine, how),
            self.result(
                "reverse mode, every gene a source", "osg", backward_s + forward_s / self.length, column, engine, how
            ),
        ]

    def in_chunks(self, name: str, probe: str, chunks: list, columns_of) -> dict:
        """The best of some numbers of columns at a time."""
        results = []
        for chunk in sorted({min(chunk, self.count) for chunk in chunks}):
            seconds, columns = self.watch.best(lambda: columns_of(slice(0, chunk)))
            how = f"{chunk} columns at a time"
            results.append(self.result(name, probe, seconds / chunk, columns, self.engine[probe][:chunk], how))
        return min(results, key=lambda result: result["seconds_per_column"])

    def forward_mode(self, probe: str, chunks: list) -> dict:
        def dual(part):
            column = lambda state, direction: jvp(self.predict, (state,), (direction,))[1]
            return vmap(column)(self.states[part], self.directions[part])

        def tangents(part):
            column = lambda direction: jvp(self.predict, (self.background,), (direction,))[1]
            return vmap(column)(self.directions[part])

        with torch.no_grad():
            return self.in_chunks("vmap(jvp)", probe, chunks, dual if probe == "vvp+gdt" else tangents)

    def central_differences(self, probe: str, chunks: list) -> dict:
        around = self.states if probe == "vvp+gdt" else self.background.expand(self.count, -1)

        def columns(part):
            step = STEP * self.directions[part]
            ahead, behind = self.predict(torch.cat([around[part] + step, around[part] - step])).chunk(2)
            return (ahead - behind) / (2 * STEP)

        with torch.no_grad():
            return self.in_chunks("central differences", probe, chunks, columns)


def gemm_gflops(watch: Stopwatch) -> float:
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    result = torch.empty(1024, 1024)
    return 2e-9 * 1024**3 / watch.best(lambda: torch.mm(a, b, out=result))[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long to repeat each measurement")
    parser.add_argument("--chunks", type=int, nargs="+", default=[1, 4, 16], help="columns at a time to try")
    parser.add_argument("--targets", type=int, default=4, help="timed by reverse mode")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    options = parser.parse_args()
    torch.set_num_threads(1)
    watch = Stopwatch(options.clock, options.seconds)
    comparison = Comparison(options.folder, watch)
    peers = comparison.reverse(options.targets)
    for probe in ("vvp+gdt", "osg"):
        peers.append(comparison.forward_mode(probe, options.chunks))
        peers.append(comparison.central_differences(probe, options.chunks))
    report = {"torch": torch.__version__, "gemm_gflops": gemm_gflops(watch), "peers": peers}
    options.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
