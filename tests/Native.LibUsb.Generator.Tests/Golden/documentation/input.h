#define SAMPLE_SIZE 4
enum sample_code { SAMPLE_ONE = 1 };
typedef int (*sample_cb)(int fd, void *user_data);
struct sample_record { int number; unsigned char id[4]; union { int left; int right; } value; unsigned char data[]; };
struct sample_handle;
int sample_call(struct sample_handle *handle, int number);
void sample_void(void);
