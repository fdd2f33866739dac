"""What several tests share, and the programs that make targets run: `PYTHONPATH=tests python -m support.NAME`."""

from pathlib import Path

RECORDED = Path(__file__).parents[1] / "recorded"  # recorded numbers and files, and the scripts that record them
