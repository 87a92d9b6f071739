"""The translator in numpy float64, written from docs/formats/translator.md and docs/method.md, not from the program."""

import h5py
import numpy

BINS_PER_UNIT, BINS = 32, 1024  # of the false-discovery rate


def _mlp(group, layers, z):
    for layer in range(layers):
        z = z @ group[f"weight_{layer}"][()].astype(float).T + group[f"bias_{layer}"][()].astype(float)
        if layer + 1 < layers:
            z = numpy.maximum(z, 0)
    return z[..., 0]


class Translator:
    """What a translator makes of the features in a store."""

    def __init__(self, path, store):
        """\\param store  path of a feature store with the probes that the translator was trained on"""
        with h5py.File(path) as file, h5py.File(store) as features:
            self.probes = [name.decode() for name in file["probes"][()]]
            logits = {"member": [], "null": []}
            for probe in self.probes:
                group = file["probe"][probe]
                x = features["features"][probe][()].astype(float)
                asinh = group.attrs["transform"] in ("asinh", b"asinh")
                z = ((numpy.arcsinh(x / group["scale"][()]) if asinh else x) - group["mean"][()]) / group["std"][()]
                for kind, of_probes in logits.items():
                    mlps = group[kind].values() if kind in group else []
                    of_probes.append([_mlp(mlp, int(group.attrs["layers"]), z) for mlp in mlps])
            self.members = numpy.mean(logits["member"], axis=0)  # [members, S, G]
            self.nulls = numpy.mean(logits["null"], axis=0)  # [nulls, S, G]
            sources, self.targets = features["genes/source"][()], features["genes/target"][()]
        self.self_pairs = sources[:, None] == self.targets[None, :]

    def logits(self):
        """[S, G], NaN for self pairs."""
        return numpy.where(self.self_pairs, numpy.nan, self.members.mean(axis=0))

    def probabilities(self):
        return 1 / (1 + numpy.exp(-self.logits()))

    def spread(self):
        return self.members.std(axis=0, ddof=1)

    def false_discovery(self, slack):
        """Rates [S, G] from below and from above, for logits that are known up to `slack`."""
        observed, null = self.logits()[~self.self_pairs], self.nulls[:, ~self.self_pairs].ravel()
        return [_rates(observed - sign * slack, null + sign * slack, len(self.nulls))[
            _bins(numpy.nan_to_num(self.logits()) - sign * slack)] for sign in (-1, 1)]  # fmt: skip


def _bins(logits):
    return numpy.clip(numpy.floor(logits * BINS_PER_UNIT).astype(int) + BINS // 2, 0, BINS - 1)


def _rates(observed, null, nulls):
    """q-value of every bin: the least rate of it and of those below."""
    observed_from, null_from = (
        numpy.bincount(_bins(logits), minlength=BINS)[::-1].cumsum()[::-1] for logits in (observed, null)
    )
    rate = numpy.minimum(1, null_from / nulls / numpy.maximum(1, observed_from))
    return numpy.minimum.accumulate(rate)
