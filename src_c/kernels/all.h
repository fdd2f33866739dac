/* All kernels for the current dtype. */
#include "loops.h"
#include "math.h"
#include "squares.h"
#include "activations.h"
#include "parametric.h"
#include "gates.h"
#include "embedding.h"
#include "softmax.h"
#include "losses.h"
#include "binary_losses.h"
#include "class_losses.h"
#include "distribution_losses.h"
#include "packing.h"
#include "linear.h"
#undef FN
#define FN TYPED
#include "optimizers.h"
#include "parameters.h"
#undef FN
#define FN(name) FNN_CAT(FNN_CAT(fnn_, name), FNN_CAT(_f, BITS))
#include "borders.h"
#include "dropout.h"
#include "normalization.h"
#include "peak.h"
