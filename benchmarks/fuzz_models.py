"""How a model file is made to be read: a graph that computes, then some changes of its tree that know its structure."""


def grown_and_spoiled(builder, spoil, rng):
    """The tree of a format's `builder`, which has `grow` and `model`, after 0 to 3 of the changes `spoil(tree, rng)`."""
    for _ in range(rng.randint(1, 8)):
        builder.grow()
    model = builder.model()
    for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 3))):
        spoil(model, rng)
    return model
