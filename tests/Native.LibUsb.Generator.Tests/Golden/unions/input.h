#include <stdint.h>
typedef void (*sample_log_cb)(const char *text);
struct sample_choice {
    int option;
    union {
        int number;
        sample_log_cb callback;
        uint8_t bytes;
    } value;
    struct {
        short left;
        short right;
    } pair;
};
union sample_word { uint32_t whole; uint16_t half; };
