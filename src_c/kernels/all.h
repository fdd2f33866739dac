/* Every kernel for the dtype in force. */
#include "loops.h"
#include "math.h"
#include "activations.h"
#include "softmax.h"
#include "losses.h"
#include "linear.h"
#include "optimizers.h"
#include "dropout.h"
