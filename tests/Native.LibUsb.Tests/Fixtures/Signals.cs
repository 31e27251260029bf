using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests;

/// <summary>Sends signals to child processes with kill(2), because a minimal system has no kill program.</summary>
internal static partial class Signals
{
    private const int Interrupt = 2;
    private const nint Default = 0, Ignored = 1;

    /// <summary>
    /// Restores the default handler of SIGINT. If a shell runs the tests in the background, the process of the tests ignores SIGINT. Without this method, the
    /// child processes of this process would ignore SIGINT too.
    /// </summary>
#pragma warning disable CA2255 // A module initialiser runs before any child is started.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void DoNotIgnoreInterrupts()
    {
        if (!OperatingSystem.IsLinux())
            return;
        nint before = SetHandler(Interrupt, Default);
        if (before != Ignored)
            SetHandler(Interrupt, before);
    }

    /// <param name="process">The id of the process.</param>
    /// <param name="name">INT or TERM.</param>
    public static void Send(int process, string name)
    {
        int number = name switch
        {
            "INT" => Interrupt,
            "TERM" => 15,
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No test sends this signal."),
        };
        if (Kill(process, number) != 0)
            throw new InvalidOperationException($"kill({process}, {number}) failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);
}
