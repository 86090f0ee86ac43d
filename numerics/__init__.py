"""Networks, data and training, blind to theory: nothing here imports `theory` or `laws`."""
