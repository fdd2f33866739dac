"""Networks as C source without dependencies: `fastnn.export_c`."""
