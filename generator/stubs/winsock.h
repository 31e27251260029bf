/* Headers before 1.0.29 include it; nothing of it is used. */
