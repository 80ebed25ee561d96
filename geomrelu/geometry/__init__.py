"""Polyhedra, hyperplane arrangements and their regions."""
