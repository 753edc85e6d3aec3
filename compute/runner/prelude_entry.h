/* prelude_entry.h - how the runner calls a kernel: a loop over the threads of a block; goes with
 * prelude.h. */
#ifndef LEASEHOLD_PRELUDE_ENTRY_H
#define LEASEHOLD_PRELUDE_ENTRY_H

/* ---- how the runner calls a kernel ---- */

static inline void lh_begin(unsigned arguments)
{
    lh_here.thread = lh_now.next;
    lh_here.block = lh_now.block;
    lh_here.block_size = lh_now.block_size;
    lh_here.grid_size = lh_now.grid_size;
    for (unsigned i = 0; i < arguments; i++) lh_args[i] = lh_now.args[i];
}

template <class T> struct lh_param {
    static constexpr char     kind = '?';
    static constexpr unsigned size = 0;
};
template <class T> struct lh_param<T *> {
    static constexpr char     kind = 'p';
    static constexpr unsigned size = sizeof(T);
};
template <> struct lh_param<void *> {
    static constexpr char     kind = 'p';
    static constexpr unsigned size = 1;
};
template <> struct lh_param<const void *> : lh_param<void *> {
};
#define LH_PARAM(T, letter)                                                                        \
    template <> struct lh_param<T> {                                                               \
        static constexpr char     kind = letter;                                                   \
        static constexpr unsigned size = sizeof(T);                                                \
    };
LH_PARAM(int, 'i')
LH_PARAM(unsigned int, 'u')
LH_PARAM(long, 'l')
LH_PARAM(long long, 'l')
LH_PARAM(unsigned long, 'm')
LH_PARAM(unsigned long long, 'm')
LH_PARAM(float, 'f')
LH_PARAM(double, 'd')

template <class T> static inline T lh_argument(unsigned long long bits)
{
    T value;
    __builtin_memcpy(&value, &bits, sizeof value <= sizeof bits ? sizeof value : sizeof bits);
    return value;
}

template <int... I> struct lh_numbers {
};
template <int N, int... I> struct lh_count : lh_count<N - 1, N - 1, I...> {
};
template <int... I> struct lh_count<0, I...> {
    typedef lh_numbers<I...> type;
};

template <auto K> struct lh_entry {
    static_assert(sizeof(K) == 0, "a kernel is a __global__ function that returns void");
};
template <class... A, void (*K)(A...)> struct lh_entry<K> {
    static constexpr char     kinds[] = {lh_param<A>::kind..., '\0'};
    static constexpr unsigned sizes[] = {lh_param<A>::size..., 0};

    template <int... I> static __forceinline__ void thread(lh_numbers<I...>)
    {
        K(lh_argument<A>(lh_args[I])...);
    }
    /* Threads of a row, rows, layers, from lh_now.next on. A kernel in which nothing waits is a
     * plain loop to the compiler; one in which the thread has waited goes the long way. What the
     * loop needs is kept outside the frame, so that a waiting thread keeps little. */
    static void run()
    {
        typename lh_count<sizeof...(A)>::type numbers;
        lh_begin(sizeof...(A));
        while (lh_here.thread.z < lh_here.block_size.z) {
            lh_here.waited = 0;
            while (lh_here.thread.x < lh_here.block_size.x) {
                thread(numbers);
                if (lh_here.waited) break;
                lh_here.thread.x++;
            }
            if (lh_here.waited) {
                if (!lh_thread_end()) return;
                lh_here.thread = lh_now.next;
                continue;
            }
            lh_here.thread.x = 0;
            if (++lh_here.thread.y == lh_here.block_size.y) {
                lh_here.thread.y = 0;
                lh_here.thread.z++;
            }
        }
    }
};
#define LH_KERNEL(name)                                                                            \
    {#name, lh_entry<&name>::run, lh_entry<&name>::kinds, lh_entry<&name>::sizes}

#endif
