#pragma once

namespace regulus::test {

/// Python: reads FOLDER/model.safetensors (scGPT's key names, width 16, 4 heads, 2 layers) and writes
/// FOLDER/NAME/{model.pt, vocab.json} for each module below.
inline constexpr const char* kScriptModels = R"(
import json, math, os, shutil, struct, sys, warnings
import torch, torch.nn as nn, torch.nn.functional as F
from torch import Tensor
warnings.filterwarnings('ignore')
folder = sys.argv[1]

def read_weights(path):
    data = open(path, 'rb').read()
    start = 8 + struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:start])
    def tensor(entry):
        begin, end = entry['data_offsets']
        values = torch.frombuffer(bytearray(data[start + begin:start + end]), dtype=torch.float32)
        return values.reshape(entry['shape']).clone()
    return {name: tensor(entry) for name, entry in header.items() if name != '__metadata__'}

weights = read_weights(os.path.join(folder, 'model.safetensors'))
WIDTH, HEADS, LAYERS, HIDDEN = 16, 4, 2, 19

class Genes(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(weights['encoder.embedding.weight']), WIDTH)
        self.enc_norm = nn.LayerNorm(WIDTH)
        self.register_buffer('row_of_token', torch.arange(self.embedding.num_embeddings))
    def forward(self, ids: Tensor) -> Tensor:
        return self.enc_norm(self.embedding(self.row_of_token[ids]))

class Values(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(1, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
    def forward(self, values: Tensor) -> Tensor:
        x = torch.clamp(values.unsqueeze(-1), max=512)
        return self.norm(self.linear2(torch.relu(self.linear1(x))))

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * WIDTH, WIDTH))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * WIDTH))
        self.out_proj = nn.Linear(WIDTH, WIDTH)
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        outputs = []
        for i in range(4):
            a, b = 4 * i, 4 * (i + 1)
            scores = torch.einsum('bqd,bkd->bqk', q[:, :, a:b], k[:, :, a:b]) / math.sqrt(4)
            scores = scores.masked_fill(mask.unsqueeze(1), -1e30)
            weights = torch.exp(scores - torch.logsumexp(scores, -1, keepdim=True))
            outputs.append(torch.einsum('bqk,bkd->bqd', weights, v[:, :, a:b]))
        return self.out_proj(torch.cat(outputs, -1))

class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn = Attention()
        self.linear1, self.linear2 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(0.5)
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.norm1(x + self.dropout(self.self_attn(x, mask)))
        return self.norm2(x + self.dropout(self.linear2(torch.relu(self.linear1(x)))))

class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, mask)
        return x

class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(), nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(),
                                nn.Linear(WIDTH, 1))
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x).squeeze(-1)

class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.value_encoder, self.decoder = Genes(), Values(), Decoder()

class ScGpt(Parts):
    def __init__(self):
        super().__init__()
        self.transformer_encoder = Layers()
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        x = self.encoder(ids) + self.value_encoder(values)
        return self.decoder(self.transformer_encoder(x, mask))
    @torch.jit.export
    def embed(self, ids: Tensor) -> Tensor:
        return self.encoder.embedding(ids)

class FusedEncoder(Parts):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, LAYERS)
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        x = self.encoder(ids) + self.value_encoder(values)
        return self.decoder(self.transformer_encoder(x, src_key_padding_mask=mask))

class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = ScGpt()
        self.load_state_dict({'model.' + name: w for name, w in weights.items()}, strict=False)

class NoForwardMode(Wrapped):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        x = torch.sigmoid(values)
        zero = torch.special.gammainc(torch.full_like(x, 2.0), x) - (1.0 - (1.0 + x) * torch.exp(-x))
        return self.model(ids, values, mask) + zero

class OnceDifferentiable(Wrapped):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        x = values.unsqueeze(-1)
        return self.model(ids, values, mask) + 0.0 * torch.cdist(x, torch.full_like(x, -1.0)).sum(-1)

class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.genes, self.values = nn.Embedding(20, 1), nn.Embedding(60, 1)
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return (self.genes(ids) + self.values(values.to(torch.long))).squeeze(-1)

class IgnoresValues(nn.Module):
    def __init__(self):
        super().__init__()
        self.genes = nn.Embedding(20, 1)
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return self.genes(ids).squeeze(-1).detach().requires_grad_(values.requires_grad)

class Rounds(nn.Module):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return torch.round(values) * ids

class TwoArguments(nn.Module):
    def forward(self, ids: Tensor, values: Tensor) -> Tensor:
        return values

class ReturnsTuple(nn.Module):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor):
        return values, mask

class Returns3d(nn.Module):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return values.unsqueeze(-1)

class ReturnsIntegers(nn.Module):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return ids

class OneShape(nn.Module):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return values.reshape(2, 5)

class NoForward(nn.Module):
    @torch.jit.export
    def predict(self, values: Tensor) -> Tensor:
        return values

class WrongEmbed(nn.Module):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return values
    @torch.jit.export
    def embed(self, ids: Tensor) -> Tensor:
        return torch.zeros(3, 2)

class Raises(nn.Module):
    def forward(self, ids: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        if values.size(1) > 1:
            raise ValueError('needs a batch label')
        return values

def place(name):
    os.makedirs(os.path.join(folder, name))
    shutil.copy(os.path.join(folder, 'vocab.json'), os.path.join(folder, name))
    return os.path.join(folder, name, 'model.pt')

def with_weights(module):
    module.load_state_dict(weights, strict=False)
    return module

modules = {'scgpt': with_weights(ScGpt()), 'fused_encoder': with_weights(FusedEncoder()),
           'no_forward_mode': NoForwardMode(), 'once_differentiable': OnceDifferentiable(),
           'tokens': Tokens(), 'ignores_values': IgnoresValues(), 'rounds': Rounds(),
           'two_arguments': TwoArguments(), 'returns_tuple': ReturnsTuple(), 'returns_3d': Returns3d(),
           'returns_integers': ReturnsIntegers(), 'one_shape': OneShape(), 'no_forward': NoForward(),
           'wrong_embed': WrongEmbed(), 'raises': Raises()}
for name, module in modules.items():
    torch.jit.script(module).save(place(name))
torch.save(modules['scgpt'].state_dict(), place('state_dict'))
json.dump({'max_seq_len': 77, 'n_bins': 51, 'input_style': 'binned', 'pad_value': -3},
          open(os.path.join(folder, 'scgpt', 'args.json'), 'w'))
)";

}  // namespace regulus::test
