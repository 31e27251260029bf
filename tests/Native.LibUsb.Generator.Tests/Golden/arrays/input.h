#include <stdint.h>
struct sample_packet { unsigned int length; int status; };
struct sample_transfer { void *handle; int count; struct sample_packet packets[]; };
struct sample_capability { uint8_t length; uint8_t type; uint8_t kind; uint8_t data[]; };
struct sample_pointers { uint32_t length; uint8_t count; struct sample_capability *items[]; };
struct sample_identifier { uint8_t length; uint8_t uuid[16]; struct sample_packet pair[2]; };
