#include <stdint.h>
struct sample_setup { uint8_t type; uint32_t value; uint16_t length; } __attribute__((packed));
struct sample_natural { uint8_t type; uint32_t value; uint16_t length; };
struct sample_holder { uint8_t first; struct sample_setup setup; struct sample_natural natural; };
typedef struct { uint8_t first; uint32_t second; } __attribute__((packed)) sample_unnamed;
