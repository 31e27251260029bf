using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Keeps the first native context of the process until the last one is closed. Before libusb 1.0.28, messages that belong to no context, such as
/// those of its hotplug thread, go through the first one, without a lock: when it is freed while others keep that thread alive, the process
/// crashes.
/// </summary>
/// <remarks>
/// In the meantime the kept context is silent, and no thread handles its events; it holds its few descriptors and a record for each device that comes or
/// goes. The lock is held while a context is opened, which libusb does one at a time too, and while the first one is exited.
/// </remarks>
internal static class FirstContext
{
    private static readonly Lock s_gate = new();
    private static int s_open;         // contexts that are not closed
    private static nint s_first;       // libusb's fallback; 0 while there is none
    private static ContextExit? s_kept; // its exit, when it is closed and others are not

    // Recognised by a function that 1.0.28 introduced: a copy of libusb that is not the newest may have any version number.
    private static bool IsNeeded =>
        OperatingSystem.IsLinux() && !OptionalExports.IsAvailable(OptionalExports.libusb_get_ssplus_usb_device_capability_descriptor);

    /// <summary>Opens a context.</summary>
    /// <param name="open">Opens it and takes ownership.</param>
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

    /// <summary>Exits a context, now or when the last one is closed.</summary>
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
