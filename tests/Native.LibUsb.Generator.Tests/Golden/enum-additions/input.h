enum sample_speed { SAMPLE_LOW = 1, SAMPLE_HIGH = 3, SAMPLE_MAX = 4 };
enum sample_speed__added { SAMPLE_FULL__added = 2, SAMPLE_HIGH__added = 3, SAMPLE_SUPER__added = 4 };
enum sample_speed__added_later { SAMPLE_MAX__changed = 5 };
