"""Fitted estimators as ONNX models and C files: what `predict` and `predict_proba` compute, without fastnn."""
