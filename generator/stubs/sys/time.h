/* Only pointers to it cross the interface; its layout is written by hand on the C# side. */
struct timeval;
