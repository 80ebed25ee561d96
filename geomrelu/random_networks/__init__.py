"""Random networks: probabilities of neuron death by sign orbits, by sampling and in closed form."""
