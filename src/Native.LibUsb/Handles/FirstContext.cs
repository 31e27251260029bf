using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Keeps the first native context of the process until the last context is closed. Some of libusb's messages belong to no context, for example the messages of
/// the hotplug thread. Before version 1.0.28, libusb logs these messages through the first context, and takes no lock. If the first context is freed while
/// other contexts keep the hotplug thread alive, the process crashes.
/// </summary>
/// <remarks>
/// After the program has closed the first context, this context logs nothing, and no thread handles its events. However, the context keeps its few file
/// descriptors open, and stores a record of each device that arrives or leaves. A thread that opens a context or exits the first context holds the lock of this
/// class, so only one thread at a time can do this. libusb itself also opens only one context at a time.
/// </remarks>
internal static class FirstContext
{
    private static readonly Lock s_gate = new();
    private static int s_open;         // the number of contexts that are not closed
    private static nint s_first;       // the context for messages of no context; 0 if there is none
    private static ContextExit? s_kept; // the exit of the first context if that context is closed and other contexts are open

    // The property checks whether libusb has a function that version 1.0.28 introduced. The property does not compare version numbers, because a development
    // version of libusb may report a wrong number.
    private static bool IsNeeded =>
        OperatingSystem.IsLinux() && !OptionalExports.IsAvailable(OptionalExports.libusb_get_ssplus_usb_device_capability_descriptor);

    /// <summary>Opens a context.</summary>
    /// <param name="open">Opens the context and returns the handle that owns it.</param>
    public static unsafe ContextHandle Open(Func<ContextHandle> open)
    {
        if (!IsNeeded)
            return open();
        lock (s_gate)
        {
            ContextHandle context = open();
            s_open++;
            if (s_first == 0)
                s_first = (nint)context.Pointer;
            return context;
        }
    }

    /// <summary>Exits a context, either now or when the last context is closed.</summary>
    public static void Exit(ContextExit exit)
    {
        if (!IsNeeded)
        {
            exit.Run();
            return;
        }

        lock (s_gate)
        {
            if (exit.Context == s_first)
            {
                s_open--;
                if (s_open > 0)
                {
                    exit.Silence();
                    s_kept = exit;
                }
                else
                {
                    exit.Run();
                    s_first = 0;
                }

                return;
            }
        }

        exit.Run();
        lock (s_gate)
        {
            s_open--;
            if (s_open > 0 || s_kept is not { } kept)
                return;
            kept.Run();
            s_kept = null;
            s_first = 0;
        }
    }
}
