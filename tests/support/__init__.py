"""What several tests share, and the programs that make targets run: `PYTHONPATH=tests python -m support.NAME`."""
