"""Measurements against the budgets of docs/architecture.md; see `make bench`."""
