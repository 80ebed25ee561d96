/* Which of the versions this processor runs, and of which sources they are. */
const char *geomrelu_version(void) {
#ifdef VERSIONS
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd"))
        return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
        return "avx2";
#endif
    return "plain";
}

const char *geomrelu_source(void) { return SOURCE; }
