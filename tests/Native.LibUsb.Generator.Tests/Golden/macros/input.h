#define SAMPLE_H
#define SAMPLE_CALL(x) x
#define SAMPLE_PLAIN 18
#define SAMPLE_MASK 0x0f
#define SAMPLE_MASK_ALIAS SAMPLE_MASK
#define SAMPLE_SUM \
    (SAMPLE_PLAIN + \
     SAMPLE_MASK)
#define SAMPLE_MINUS -1
#define SAMPLE_BYTES (384U)
#define SAMPLE_UNSIGNED 0xfffffffeU
#define SAMPLE_WIDE 0x100000000LL
struct sample_head { unsigned char bytes[8]; };
#define SAMPLE_SETUP_SIZE (sizeof(struct sample_head))
#define SAMPLE_REDEFINED 1
#undef SAMPLE_REDEFINED
#define SAMPLE_REDEFINED 2
#define SAMPLE_GONE 1
#undef SAMPLE_GONE
enum sample_option {
    SAMPLE_OPTION_A = 2,
#define SAMPLE_OPTION_OLD SAMPLE_OPTION_A
    SAMPLE_OPTION_B
};
