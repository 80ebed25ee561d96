"""The registry of claims, the evidence for them, and the page that shows it."""
