"""Networks, and the polyhedral complex of their linear regions."""
