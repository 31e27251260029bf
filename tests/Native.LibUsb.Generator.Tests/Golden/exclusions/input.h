int sample_set_option(int option, ...);
int sample_get_option(int option);
static inline int sample_twice(int number) { return 2 * number; }
