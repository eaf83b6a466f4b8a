"""Webhooks: notices to participants' own systems, signed after Standard Webhooks."""
