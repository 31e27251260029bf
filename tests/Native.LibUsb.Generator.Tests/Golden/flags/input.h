enum sample_flags { SAMPLE_FLAG_A = 1U << 0, SAMPLE_FLAG_B = 1U << 1 };
enum sample_plain { SAMPLE_PLAIN_A = 1 << 0 };
