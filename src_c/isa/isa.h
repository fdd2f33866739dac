/* The kernels of one instruction set, in both dtypes, and the only symbol that is visible outside its file: the
 * table fnn_isa_<name>. The including file has opened the target region and included the vocabulary. */
#include <math.h>

#include "../fastnn.h"

#include "../kernels/begin_float.h"
#include "../kernels/all.h"
#include "../kernels/begin_double.h"
#include "../kernels/all.h"

#define FNN_STRING_(text) #text
#define FNN_STRING(text) FNN_STRING_(text)

const struct fnn_isa FNN_CAT(fnn_isa_, FNN_ISA) = {
    .name = FNN_STRING(FNN_ISA),
    .lanes = sizeof(vec32) / sizeof(float),
    .kernels[FNN_FLOAT32] =
        {
#define FNN_KERNEL(result, name, arguments) .name = fnn_##name##_f32,
#include "../kernels/kernels.def"
#undef FNN_KERNEL
        },
    .kernels[FNN_FLOAT64] =
        {
#define FNN_KERNEL(result, name, arguments) .name = fnn_##name##_f64,
#include "../kernels/kernels.def"
#undef FNN_KERNEL
        },
};
