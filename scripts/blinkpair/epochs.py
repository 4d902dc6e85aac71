"""The two epochs of a field."""

EPOCHS = ("pre", "post")  # before and after annealing
