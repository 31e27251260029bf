using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Learns the file descriptor of a device while the calling thread opens it: libusb notifies that thread of the descriptor, and has no function that returns it.
/// The library queries the file to learn whether libusb divides long transfers (<see cref="UsbfsRequests.DividesTransfers"/>), and before libusb 1.0.27 it activates
/// alternate settings there (<see cref="HasSettingDefect"/>).
/// </summary>
internal static unsafe class OpeningDescriptor
{
    // The descriptor plus 1; 0 when libusb has reported none.
    [ThreadStatic]
    private static int t_descriptor;

    /// <summary>
    /// Gets whether <c>libusb_set_interface_alt_setting</c> of the loaded libusb unlocks a mutex that it has not locked when the device was unplugged;
    /// <c>libusb_close</c> aborts the process afterwards. 1.0.27 brought the function that this looks for.
    /// </summary>
    public static bool HasSettingDefect => !OptionalExports.IsAvailable(OptionalExports.libusb_init_context);

    /// <summary>Gets the notifier of added descriptors for a context whose program has set none; null where devices have no files.</summary>
    public static delegate* unmanaged<int, short, void*, void> Notifier => OperatingSystem.IsLinux() ? &OnAdded : null;

    /// <summary>Forgets what the thread has opened before.</summary>
    public static void Begin() => t_descriptor = 0;

    /// <summary>Notes a descriptor that libusb reports. Called by each notifier of added descriptors.</summary>
    public static void Note(int descriptor) => t_descriptor = descriptor + 1;

    /// <summary>Returns the descriptor of the device that the thread has opened since <see cref="Begin"/>; null when libusb has reported none.</summary>
    public static int? Take()
    {
        int noted = t_descriptor;
        t_descriptor = 0;
        return noted == 0 ? null : noted - 1;
    }

    [UnmanagedCallersOnly]
    private static void OnAdded(int descriptor, short events, void* userData) => Note(descriptor);
}
