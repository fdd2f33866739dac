/* Partial registers for instruction sets without masked memory access, by a padded buffer on the stack. */
typedef ptrdiff_t tail32, tail64;
#define v_tail(n) (n)

#define FNN_PADDED_TAIL(REAL, vec, lanes)                                                                    \
    INLINE vec load_tail_##vec(const REAL *p, ptrdiff_t n)                                                   \
    {                                                                                                        \
        REAL buffer[lanes] = {0};                                                                            \
        for (ptrdiff_t i = 0; i < n; i++)                                                                    \
            buffer[i] = p[i];                                                                                \
        vec v;                                                                                               \
        memcpy(&v, buffer, sizeof v);                                                                        \
        return v;                                                                                            \
    }                                                                                                        \
    INLINE void store_tail_##vec(REAL *p, vec v, ptrdiff_t n)                                                \
    {                                                                                                        \
        REAL buffer[lanes];                                                                                  \
        memcpy(buffer, &v, sizeof v);                                                                        \
        for (ptrdiff_t i = 0; i < n; i++)                                                                    \
            p[i] = buffer[i];                                                                                \
    }                                                                                                        \
    INLINE vec fill_tail_##vec(vec v, ptrdiff_t n, vec fill)                                                 \
    {                                                                                                        \
        store_tail_##vec((REAL *)&fill, v, n);                                                               \
        return fill;                                                                                         \
    }

FNN_PADDED_TAIL(float, vec32, 4)
FNN_PADDED_TAIL(double, vec64, 2)

#define v_load_tail(p, t) FNN_CAT(load_tail_vec, BITS)(p, t)
#define v_store_tail(p, v, t) FNN_CAT(store_tail_vec, BITS)(p, v, t)
#define v_fill_tail(v, t, fill) FNN_CAT(fill_tail_vec, BITS)(v, t, fill)
