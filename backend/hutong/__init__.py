"""Electronic invoices, receivables and a data directory on one permissioned chain."""
