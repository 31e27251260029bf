/* Contains the calling conventions of the Windows targets, and struct timeval. */
#define WINAPI __stdcall
#define WINAPIV __cdecl
struct timeval;
