"""`python -m hutong`."""

from hutong.cli import main

main()
