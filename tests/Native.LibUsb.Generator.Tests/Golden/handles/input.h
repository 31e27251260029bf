typedef struct sample_context sample_context;
struct sample_device;
int sample_init(sample_context **ctx);
int sample_list(sample_context *ctx, struct sample_device ***list);
