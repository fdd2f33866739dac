"""Initialization compared: what happens to numbers on their way through ten layers before anything is learnt.

With small weights the activations shrink layer by layer until nothing is left to learn from; with large ones they
explode; zeros make all units of a layer alike, for ever. Xavier keeps the spread through linear layers, and He doubles
the variance because ReLU cuts half of it away.
"""

import warnings

import fastnn
from fastnn import nn, optim

DEPTH, WIDTH = 10, 64
RULES = {
    "zeros": "zeros",
    "small (std 0.01)": nn.init.Normal(std=0.01),
    "large (std 0.5)": nn.init.Normal(std=0.5),
    "Xavier": "xavier_normal",
    "He": nn.init.KaimingNormal(nonlinearity="relu"),
}


def make(rule):
    hidden = [
        layer
        for _ in range(DEPTH)
        for layer in (nn.Linear(WIDTH, WIDTH, weight_init=rule, bias_init="zeros"), nn.ReLU())
    ]
    net = nn.Sequential(*hidden, nn.Linear(WIDTH, 10, weight_init=rule, bias_init="zeros"), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02, momentum=0.9))


def spread(health):
    """The standard deviation of each hidden layer's activations."""
    return [layer.std for layer in health.layers[:-1]]


def main(epochs=5):
    X, y = fastnn.data.load_digits()
    X = fastnn.data.standardize(X)
    print(f"standard deviation of the activations of layers 1 to {DEPTH}, and the loss after {epochs} epochs\n")
    print(f"{'':<17}" + "".join(f"{i + 1:>8}" for i in range(DEPTH)) + f"{'loss':>8}")
    results, advice = {}, {}
    for name, rule in RULES.items():
        trainer = make(rule)
        health = trainer.health(X, y)
        with warnings.catch_warnings():  # at a start too large the loss is not finite: that is what is shown
            warnings.simplefilter("ignore", RuntimeWarning)
            history = trainer.fit(X, y, epochs=epochs, batch_size=32, seed=0, progress=False)
        print(f"{name:<17}" + "".join(f"{std:>8.2g}" for std in spread(health)) + f"{history['loss'][-1]:>8.2f}")
        results[name] = {"std": spread(health), "loss": history["loss"][-1], "accuracy": history["accuracy"][-1]}
        advice[name] = health.advice
        results[name]["advice"] = len(health.advice)
    print("\nln 10 = 2.30 is the loss of a network that knows nothing. What trainer.health() said beforehand:")
    for name, sentences in advice.items():
        more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
        print(f"  {name}: {sentences[0] if sentences else 'nothing looks wrong'}{more}")
    return results


if __name__ == "__main__":
    main()
