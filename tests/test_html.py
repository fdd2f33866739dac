"""Tables for notebooks."""

from html.parser import HTMLParser

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._html import table
from fastnn.training import History


class Reader(HTMLParser):
    """Reads the texts of a table, and refuses tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.texts = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


def test_a_table_is_escaped():
    hostile = "<script>alert('&\"')</script>"
    reader = read(table(hostile, [hostile], [[hostile], [hostile]], [hostile]))
    assert reader.texts == [hostile] * 5
    assert reader.tags == {"table", "caption", "tr", "th", "td", "p"}


def shown():
    net = nn.Sequential(nn.Linear(2, 3), nn.Residual(nn.Linear(3, 3), nn.Tanh()), nn.Linear(3, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    x = np.ones((4, 2), "float32")
    return {
        "network": net,
        "network of any size": nn.Sequential(nn.Tanh()),
        "summary": net.summary(),
        "program": trainer.compile(4),
        "history": trainer.fit(x, x[:, :1], epochs=2),
        "empty history": History(),
        "health": trainer.health(x, x[:, :1]),
    }


@pytest.mark.parametrize("what", shown())
def test_objects_have_tables_for_notebooks(what):
    reader = read(shown()[what]._repr_html_())
    assert reader.tags <= {"table", "caption", "tr", "th", "td", "p", "pre"} and reader.texts


@pytest.mark.parametrize("what", ["summary", "program", "history", "empty history", "health"])
def test_short_reprs_are_one_line(what):
    text = repr(shown()[what])
    assert "\n" not in text and len(text) <= 100
    assert text.startswith(what.split()[-1].capitalize() + "(")
