/* A network on a microcontroller: model.c is what fastnn.export_c(net, "model.c") wrote, for 4 sensors and 3 classes.
 *
 *   arm-none-eabi-gcc -std=c99 -O2 -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 \
 *       "-DMODEL_FMA(a,b,c)=((a)*(b)+(c))" -c model.c main.c
 */
#include <stddef.h>

void model_predict(const float *x, float *y);

static float sensors[4], scores[3];

/* The number of the class whose score is the largest; called whenever new values are there. */
int classify(void)
{
    int best = 0, i;
    model_predict(sensors, scores);
    for (i = 1; i < 3; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}
