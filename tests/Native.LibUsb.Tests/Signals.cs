using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests;

/// <summary>Sends signals to child processes, by kill(2): a minimal system has no program for it.</summary>
internal static partial class Signals
{
    /// <param name="process">The process's id.</param>
    /// <param name="name">INT or TERM.</param>
    public static void Send(int process, string name)
    {
        int number = name switch
        {
            "INT" => 2,
            "TERM" => 15,
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No test sends it."),
        };
        if (Kill(process, number) != 0)
            throw new InvalidOperationException($"kill({process}, {number}) failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
