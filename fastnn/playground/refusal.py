"""What the playground does not do, said in a way that a page can translate."""

from __future__ import annotations

from typing import Any

# By code; the page has each in its languages (static/texts.js, `error_<code>`).
MESSAGES = {
    "bad_json": "a message must be a JSON object of at most {limit} bytes with a known type",
    "too_large": "the message has {size} bytes, {limit} are the most",
    "too_fast": "too many messages: at most {limit} a second",
    "too_many_clients": "{limit} pages are open already: close one of them",
    "unknown_field": "{field} is not a setting",
    "missing_field": "{field} is missing",
    "wrong_type": "{field} must be {expected}, got {value}",
    "out_of_range": "{field} must be from {low} to {high}, got {value}",
    "unknown_choice": "{field} must be one of {choices}, got {value}",
    "loss_misfit": "{loss} does not go with this data: take one of {choices}",
    "batch_norm_batch": "BatchNorm1d needs 2 samples: with batches of {size} of {rows} one has a single sample",
    "table_missing": "data of one's own needs a file",
    "csv_empty": "the file has no rows of data",
    "csv_large": "the file has more than {limit} {what}",
    "csv_text": "the file is not text in UTF-8",
    "csv_columns": "line {line}: there are {found} columns, but two features and a label are 3",
    "csv_number": "line {line}: {value} is not a finite number",
    "csv_label": "line {line}: the label is missing",
    "csv_classes": "the label has {found} different values: up to {limit} are classes, more must be numbers",
    "csv_one_class": "all rows have the same label: there is nothing to tell apart",
    "csv_few": "{found} rows are too few: {limit} at least",
    "csv_constant": "the column {column} has the same value in all rows",
    "exploded": "the weights left the range of numbers: begin anew, with a lower learning rate",
    "finished": "{limit} epochs are trained: begin anew",
    "many_changes": "the settings were changed {limit} times while training: begin anew",
    "needs_onnx": 'the export needs the onnx package: pip install "fastnn-core[onnx]"',
    "internal": "something went wrong on the server: {reason}",
}


class Refusal(ValueError):
    """A request that is refused: `code` of `MESSAGES`, and the values of its text.

    Examples
    --------
    >>> from fastnn.playground.refusal import Refusal
    >>> str(Refusal("out_of_range", field="seed", low=0, high=9, value=12))
    'seed must be from 0 to 9, got 12'
    """

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(MESSAGES[code].format(**values))
        self.code, self.values = code, values

    def to_json(self) -> dict[str, Any]:
        """The message to the page."""
        return {"type": "error", "code": self.code, "values": self.values, "message": str(self)}
