from fastnn._core.operations cimport Op

cdef resolve(Op *op, operation, list keep)
