"""Which models the engine's benchmark measures, and how long."""

from dataclasses import asdict, dataclass, field, replace


@dataclass(frozen=True)
class Model:
    """A random model of scGPT's architecture and its panel; the feed-forward block is as wide as the model."""

    name: str
    width: int
    heads: int
    layers: int
    length: int

    def at_length(self, length: int) -> "Model":
        return replace(self, length=length)

    def fields(self) -> dict:
        return asdict(self)

    def options(self) -> dict:
        return {name: value for name, value in asdict(self).items() if name != "name"}


LARGE = Model("d512", 512, 8, 12, 1200)
MEDIUM = Model("d256", 256, 8, 6, 512)
COMPACT = Model("d64", 64, 4, 4, 512)
PEER_LARGE = Model("d512", 512, 8, 12, 1000)
PEER_SMALL = Model("small", 64, 8, 4, 512)
SMALLEST = Model("smallest", 8, 2, 1, 4)
SOURCES_MODEL = COMPACT
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Plan:
    """What is measured. Times are those of one measurement, in seconds; it always completes a repetition."""

    name: str
    rounds: int  # over all cases, since neighbours on the machine come and go
    seconds: float
    states: dict = field(default_factory=dict)  # of a pass, by the model's name; otherwise 8
    models: tuple = (LARGE, MEDIUM, COMPACT)
    longest_exact: int = 1200  # panel of the comparison with float64
    growing: tuple = ((COMPACT, 4096),)  # models and their longest panel
    lengths: tuple = (256, 512, 1024, 2048, 4096)
    sources: tuple = (8, 32, 128, 512)
    sources_length: int = 256
    growth_sweeps: int = 2
    growth_seconds: float = 1.0
    scaling: tuple = (MEDIUM,)
    scaling_states: int = 16
    peers: tuple = ()  # model, columns, options of peers.py
    repeat_columns: bool = True

    def states_of(self, model: Model) -> int:
        return self.states.get(model.name, 8)


FULL = Plan(
    "full",
    rounds=3,
    seconds=10.0,
    growing=((COMPACT, 4096), (MEDIUM, 2048)),
    scaling=(MEDIUM, COMPACT),
    peers=(
        (PEER_SMALL, 32, {"chunks": [1, 4, 16, 32], "targets": 16}),
        (PEER_LARGE, 8, {"chunks": [1, 2, 4, 8], "targets": 4}),
    ),
)

QUICK = Plan(
    "quick",
    rounds=1,
    seconds=0.5,
    states={"d512": 2},
    longest_exact=300,
    sources=(8, 32, 128),
    sources_length=128,
    growth_sweeps=1,
    growth_seconds=0.0,
    scaling_states=8,
    peers=(
        (PEER_SMALL, 16, {"chunks": [1, 4], "targets": 4}),
        (PEER_LARGE, 2, {"chunks": [1], "targets": 1}),
    ),
    repeat_columns=False,
)

_TINY = Model("tiny", 16, 2, 2, 48)
SMOKE = Plan(
    "smoke",
    rounds=1,
    seconds=0.0,
    models=(_TINY,),
    growing=((_TINY, 64),),
    lengths=(32, 64),
    sources=(2, 4),
    sources_length=32,
    growth_sweeps=1,
    growth_seconds=0.0,
    scaling=(_TINY,),
    peers=((_TINY, 3, {"chunks": [1, 3], "targets": 2}),),
    repeat_columns=False,
)
