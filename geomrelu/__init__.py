"""geomrelu: an exact analyzer of dead ReLU neurons."""
