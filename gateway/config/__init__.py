"""Settings: what there is to set, where it is read from, and everything that can be wrong with it."""
