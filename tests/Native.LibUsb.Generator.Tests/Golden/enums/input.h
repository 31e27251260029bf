enum sample_request { SAMPLE_ZERO = 0x00, SAMPLE_ONE = 0x01, SAMPLE_ALSO_ONE = 0x01, SAMPLE_LAST = 0xff };
enum sample_implicit { SAMPLE_A, SAMPLE_B, SAMPLE_E = 4, SAMPLE_F };
enum sample_error { SAMPLE_OK = 0, SAMPLE_ERROR_IO = -1, SAMPLE_ERROR_OTHER = -99 };
enum sample_unsigned { SAMPLE_CAP = 0x0101U, SAMPLE_CAP_NEXT };
enum sample_shifted { SAMPLE_STANDARD = (0x00 << 5), SAMPLE_VENDOR = (0x02 << 5) };
typedef enum { SAMPLE_ARRIVED = 1, SAMPLE_LEFT = 2 } sample_event;
sample_event sample_get_event(enum sample_request code);
