"""Several networks in the place of one: `n_estimators`."""


class Ensemble:
    pass
