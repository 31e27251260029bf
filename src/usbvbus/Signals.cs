using System.Runtime.InteropServices;

namespace Native.LibUsb.VirtualBusProgram;

internal static partial class Signals
{
    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int process, int signal);
}
