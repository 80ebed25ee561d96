"""Which neurons are dead on a set, with proof; and networks made smaller by what was proved."""
