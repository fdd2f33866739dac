# %% [markdown]
# # 3. Activations and their derivatives
#
# | name | f(x) | f'(x) | what is said of it |
# |---|---|---|---|
# | sigmoid | 1 / (1 + exp(-x)) | f (1 - f) | between 0 and 1; flat at both ends |
# | tanh | 2 sigmoid(2x) - 1 | 1 - f^2 | between -1 and 1, around 0; flat at both ends |
# | ReLU | max(0, x) | 0 or 1 | never flat above 0; units can die |
# | Leaky ReLU | x or a x | 1 or a | a gradient below 0 too |
# | ELU | x or alpha (exp(x) - 1) | 1 or f + alpha | smooth; flat far below 0 |
#
# Backpropagation multiplies by f' at each layer: where f' is small, the layers before it hardly learn.

# %%
import numpy as np

from fastnn import functional as F
from fastnn import viz

names = ["sigmoid", "tanh", "relu", "leaky_relu", "elu"]
figure, data = viz.activation_curves(names, params={"leaky_relu": {"negative_slope": 0.1}}, return_data=True)

# %% [markdown]
# The largest slopes: 1/4 of a sigmoid, so ten layers of them shrink a gradient by at least 4^10, about a
# million.

# %%
steepest = {name: float(data[f"{name}'"].max()) for name in names}
for name, slope in steepest.items():
    print(f"{name:<12} steepest slope {slope:.2f}, to the tenth power {slope**10:.1e}")

# %% [markdown]
# tanh is a sigmoid, scaled and shifted; and all the others that this package has:

# %%
x = data["x"]
difference = float(np.abs(F.tanh(x) - (2 * F.sigmoid(2 * x) - 1)).max())
print(f"tanh(x) and 2 sigmoid(2x) - 1 differ by {difference:.0e}")
viz.activation_curves()

# %%
numbers = {"steepest": steepest, "difference": difference}
