# %% [markdown]
# # 1. Linear layers stay linear
#
# A layer computes `h = act(x W + b)`: an affine map, then an activation. Without the activation a stack of
# layers is one layer:
#
#     ((x W1 + b1) W2 + b2) W3 + b3 = x (W1 W2 W3) + (b1 W2 W3 + b2 W3 + b3)
#
# So three layers of two units can do to the plane what one can: rotate, stretch, shear and shift it. The
# pictures show these maps alone, then with tanh and with ReLU after them. Only the last two rows bend or fold
# the grid.

# %%
import numpy as np

from fastnn import nn, viz

viz.affine_maps()

# %% [markdown]
# The single layer that equals the stack can be read off it: its bias is what the stack makes of 0, the rows of
# its weight are what it makes of the unit vectors. The difference is rounding.

# %%
x = np.random.default_rng(0).normal(size=(200, 2))


def stack(activation: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(3):
        layers += [nn.Linear(2, 2), nn.Tanh()] if activation else [nn.Linear(2, 2)]
    return nn.Sequential(*layers, seed=3, dtype="float64")


def distance_to_one_layer(net: nn.Sequential) -> float:
    bias = net.predict(np.zeros((1, 2)))
    weight = net.predict(np.eye(2)) - bias
    return float(np.abs(net.predict(x) - (x @ weight + bias)).max())


straight, bent = stack(False), stack(True)
print(f"three layers and one differ by {distance_to_one_layer(straight):.1e}")
print(f"with tanh between them by {distance_to_one_layer(bent):.1e}")

# %% [markdown]
# What the layers make of the plane's grid, one after the other: straight lines stay straight until an
# activation comes.

# %%
viz.warp_grid(straight, x[:60])
viz.warp_grid(bent, x[:60])

# %%
numbers = {"straight": distance_to_one_layer(straight), "bent": distance_to_one_layer(bent)}
