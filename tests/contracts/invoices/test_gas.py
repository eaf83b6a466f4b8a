"""What real transactions cost; forge commits the same figures in snapshots/"""

import pytest


@pytest.mark.parametrize(("count", "most"), [(1, 115_000), (100, 1_800), (1000, 800), (3000, 730)])
def test_invoice_costs_no_more_than_its_budget(invoices, book, issue, count, most):
    issue(count=1, bound=1)
    receipt = issue(count=count, first=book + 1, bound=1_090_000)
    assert receipt.gas_used < most * count
