/* The calling conventions of the Windows targets. */
#define WINAPI __stdcall
#define WINAPIV __cdecl
struct timeval;
