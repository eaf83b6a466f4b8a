"""Payments: a charging system's signed notification becomes an invoice."""
