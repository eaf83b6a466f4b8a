"""Participants: organisations, their roles and signers."""
