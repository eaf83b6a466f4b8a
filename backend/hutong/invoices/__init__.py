"""Electronic invoices: rules, documents, proofs, acceptance."""
