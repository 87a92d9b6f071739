"""The transformer of a model folder in plain torch operations, written from the description of its layers alone."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional


class Layer(nn.Module):
    def __init__(self, weights, prefix: str, heads: int):
        super().__init__()
        self.heads = heads
        for name in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"):
            self.register_buffer(name.replace(".", "_"), weights[f"{prefix}self_attn.{name}"])
        for name in ("linear1", "linear2", "norm1", "norm2"):
            for part in ("weight", "bias"):
                self.register_buffer(f"{name}_{part}", weights[f"{prefix}{name}.{part}"])

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = functional.linear(x, self.in_proj_weight, self.in_proj_bias).split(width, -1)
        shape = [batch, length, self.heads, width // self.heads]
        q = q.reshape(shape).transpose(1, 2)
        k = k.reshape(shape).transpose(1, 2)
        v = v.reshape(shape).transpose(1, 2)
        scores = torch.matmul(q, k.transpose(2, 3)) / float(width // self.heads) ** 0.5
        scores = scores.masked_fill(mask.unsqueeze(1).unsqueeze(1), float("-inf"))
        context = torch.matmul(torch.softmax(scores, -1), v).transpose(1, 2).reshape(batch, length, width)
        x = x + functional.linear(context, self.out_proj_weight, self.out_proj_bias)
        x = functional.layer_norm(x, [width], self.norm1_weight, self.norm1_bias)
        hidden = torch.relu(functional.linear(x, self.linear1_weight, self.linear1_bias))
        x = x + functional.linear(hidden, self.linear2_weight, self.linear2_bias)
        return functional.layer_norm(x, [width], self.norm2_weight, self.norm2_bias)


class Model(nn.Module):
    def __init__(self, weights, args):
        super().__init__()
        for key, tensor in weights.items():
            if not key.startswith("transformer_encoder"):
                self.register_buffer(key.replace(".", "_"), tensor)
        layers = range(args["nlayers"])
        self.layers = nn.ModuleList([Layer(weights, f"transformer_encoder.layers.{k}.", args["nheads"]) for k in layers])

    def forward(self, gene_ids: Tensor, values: Tensor, padding_mask: Tensor) -> Tensor:
        width = [self.encoder_embedding_weight.size(1)]
        genes = functional.embedding(gene_ids, self.encoder_embedding_weight)
        genes = functional.layer_norm(genes, width, self.encoder_enc_norm_weight, self.encoder_enc_norm_bias)
        value = torch.clamp(values, max=512.0).unsqueeze(-1)
        value = torch.relu(functional.linear(value, self.value_encoder_linear1_weight, self.value_encoder_linear1_bias))
        value = functional.linear(value, self.value_encoder_linear2_weight, self.value_encoder_linear2_bias)
        value = functional.layer_norm(value, width, self.value_encoder_norm_weight, self.value_encoder_norm_bias)
        x = genes + value
        for layer in self.layers:
            x = layer(x, padding_mask)
        x = functional.leaky_relu(functional.linear(x, self.decoder_fc_0_weight, self.decoder_fc_0_bias), 0.01)
        x = functional.leaky_relu(functional.linear(x, self.decoder_fc_2_weight, self.decoder_fc_2_bias), 0.01)
        return functional.linear(x, self.decoder_fc_4_weight, self.decoder_fc_4_bias).squeeze(-1)


def load(folder):
    """A model folder as `regulus pretrain` writes it, through torch.load alone."""
    weights = torch.load(Path(folder) / "best_model.pt", map_location="cpu")
    return Model(weights, json.loads((Path(folder) / "args.json").read_text()))
