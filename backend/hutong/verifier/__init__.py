"""Verifies a bundle against the chain: runs alone, trusts the node it asks and nothing else."""

from hutong.verifier.report import Report, Statement, Verdict
from hutong.verifier.verification import BatchVerifier, verify

__all__ = ["BatchVerifier", "Report", "Statement", "Verdict", "verify"]
