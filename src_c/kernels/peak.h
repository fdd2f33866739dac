/* For the peak rate of the machine: as many chains of FMAs as the matmul tile has, without memory access. Returns
 * the number of multiply-adds, which depends on the results so that no compiler can remove them. */
KERNEL_FN double FN(multiply_adds)(ptrdiff_t rounds)
{
    enum { CHAINS = 2 * TILE_ROWS };
    VEC chain[CHAINS];
    UNROLL for (int i = 0; i < CHAINS; i++) chain[i] = K(i);
    const VEC factor = K(rounds > 0 ? 0.5 : 0.25), term = K(rounds > 0 ? 0.5 : 0.75);
    for (ptrdiff_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) chain[i] = v_fma(chain[i], factor, term);
    double done = 0;
    UNROLL for (int i = 0; i < CHAINS; i++)
    {
        REAL lane[LANES_CONSTANT];
        v_store(lane, chain[i]);
        done += lane[0] >= 0 ? (double)rounds * LANES : 0;
    }
    return done;
}
