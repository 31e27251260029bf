struct sample_job;
enum sample_level { SAMPLE_LEVEL_NONE };
typedef void (*sample_job_cb)(struct sample_job *transfer);
typedef int (*sample_event_cb)(struct sample_job *transfer, enum sample_level level, short events, const char *text, void *user_data);
typedef void (*sample_plain_cb)(void);
struct sample_job { sample_job_cb callback; void (*bare)(int); void *user_data; };
void sample_register(sample_event_cb cb, void (*removed)(int fd), void *user_data);
