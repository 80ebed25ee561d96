"""The tables, figures and simulations of the papers."""
