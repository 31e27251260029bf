#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/time.h>
typedef int sample_handle;
struct sample_version { const uint16_t major; const char *rc; const unsigned char *extra; };
unsigned long sample_session(void);
const char *sample_name(int code);
const struct sample_version *sample_version_of(sample_handle handle, sample_handle *out);
ssize_t sample_sizes(size_t size, intptr_t address, long number, long long wide);
unsigned char *sample_bytes(unsigned char *data, char *text, uint8_t *octets, const struct sample_version list[], int count);
int sample_wait(struct timeval *tv);
int sample_keywords(int ref, int event, int params);
const struct sample_version **sample_list(void);
