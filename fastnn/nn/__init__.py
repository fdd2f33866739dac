"""Layers, losses, initializers and networks, with the names that PyTorch has for them."""

from . import init, utils
from .activations.rectifiers import CELU, ELU, SELU, LeakyReLU, ReLU, ReLU6, Softplus, Threshold
from .activations.rrelu import RReLU
from .activations.self_gated import GELU, Hardswish, Mish, SiLU
from .activations.shrinks import Hardshrink, Softshrink, Tanhshrink
from .activations.sigmoids import Hardsigmoid, Hardtanh, LogSigmoid, Sigmoid, Softsign, Tanh
from .activations.softmax import LogSoftmax, Softmax, Softmin
from .binary_losses import BCELoss, BCEWithLogitsLoss, FocalLoss, HingeLoss, SoftMarginLoss
from .branches import Concat, Residual, tree_of
from .class_losses import CrossEntropyLoss, MultiMarginLoss, NLLLoss, SoftmaxFocalLoss
from .columns import Columns, Identity
from .distribution_losses import GammaLoss, GaussianNLLLoss, KLDivLoss, PoissonNLLLoss, TweedieLoss
from .dropout import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from .embedding import Embedding, TabularInput
from .embedding_bag import EmbeddingBag
from .embedding_losses import (
    CosineEmbeddingLoss,
    HingeEmbeddingLoss,
    InfoNCELoss,
    MarginRankingLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from .flatten import Flatten
from .gates import GLU, Maxout, SwiGLU
from .graph_module import GraphModule
from .group_norm import GroupNorm, InstanceNorm1d
from .heads import Heads, HeadsLoss
from .int8 import LinearInt8
from .linear import Linear
from .loss import Loss
from .module import Module
from .module_list import ModuleList
from .multilabel_losses import DiceLoss, MultiLabelMarginLoss, MultiLabelSoftMarginLoss
from .normalization import BatchNorm1d, LayerNorm, RMSNorm
from .pairs import Bilinear, CosineSimilarity, PairwiseDistance
from .parameters import Parameter, Parameters
from .parametric import PReLU, Temperature
from .registry import INITIALIZERS, LAYERS, Above, public
from .regression_losses import (
    CosineSimilarityLoss,
    HuberLoss,
    L1Loss,
    LogCoshLoss,
    MAPELoss,
    MSELoss,
    MSLELoss,
    QuantileLoss,
    RMSELoss,
    SmoothL1Loss,
)
from .sequential import Sequential
from .tracing.errors import TraceError
from .tracing.trace import Trace, required_features, returned_features

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "AlphaDropout",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "Bilinear",
    "Columns",
    "Concat",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CosineSimilarityLoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "Dropout",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "FocalLoss",
    "GammaLoss",
    "GaussianDropout",
    "GaussianNLLLoss",
    "GaussianNoise",
    "GraphModule",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Heads",
    "HeadsLoss",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "HuberLoss",
    "Identity",
    "InfoNCELoss",
    "InstanceNorm1d",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LinearInt8",
    "LogCoshLoss",
    "LogSigmoid",
    "LogSoftmax",
    "Loss",
    "MAPELoss",
    "MSELoss",
    "MSLELoss",
    "MarginRankingLoss",
    "Maxout",
    "Mish",
    "Module",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PReLU",
    "PairwiseDistance",
    "Parameter",
    "Parameters",
    "PoissonNLLLoss",
    "QuantileLoss",
    "RMSELoss",
    "RMSNorm",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "SoftmaxFocalLoss",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SwiGLU",
    "TabularInput",
    "Tanh",
    "Tanhshrink",
    "Temperature",
    "Threshold",
    "TraceError",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "TweedieLoss",
    "init",
    "utils",
]


def _fold(net: Sequential) -> Sequential:
    from .folding import fold  # not needed, so not loaded, before

    return fold(net)


def _freeze(net: Sequential, dtype: object, batch_size: object) -> object:
    from .freezing import freeze

    return freeze(net, dtype, batch_size)


Above.network_of_one, Above.fold, Above.freeze = Sequential.of_one, _fold, _freeze
Above.tree_of = tree_of
Above.trace, Above.required_features, Above.returned_features = Trace.of, required_features, returned_features
LAYERS |= {name: cls for name in __all__ if isinstance(cls := globals()[name], type) and issubclass(cls, Module)}
del LAYERS["Module"]
INITIALIZERS |= public(init, object)


def __dir__() -> list[str]:
    return sorted(__all__)
