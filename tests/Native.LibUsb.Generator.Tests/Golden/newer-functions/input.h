#include <stdint.h>
typedef struct sample_item sample_item;
void sample_free(sample_item *dev);
int sample_old(sample_item *dev);
unsigned long sample_session(sample_item *dev);
uint8_t sample_number(sample_item *dev);
