"""Train a network on handwritten digits: the script of the README."""

import fastnn
from fastnn import nn, optim

X, y = fastnn.data.load_digits()
X_train, X_test, y_train, y_test = fastnn.data.train_test_split(X, y, seed=0, stratify=y)
X_train, X_test = fastnn.data.standardize(X_train, X_test)
net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10), seed=0)
trainer = fastnn.Trainer(net, loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(net.parameters(), lr=1e-3))
history = trainer.fit(X_train, y_train, epochs=60, batch_size=32, validation_data=(X_test, y_test))
print(history)
print(net.predict(X_test[:5]).argmax(axis=1), "are really", y_test[:5])
