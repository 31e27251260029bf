using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Gets the file descriptor of a device that the calling thread opens. libusb has no function that returns the descriptor. However, libusb passes the
/// descriptor to a notifier, which runs on the thread that opens the device. The library needs the descriptor to query whether libusb divides long transfers
/// (<see cref="UsbfsRequests.DividesTransfers"/>). With libusb before 1.0.27, the library also needs the descriptor to activate alternate settings
/// (<see cref="HasSettingDefect"/>).
/// </summary>
internal static unsafe class OpeningDescriptor
{
    // The descriptor plus 1; 0 if libusb has reported none.
    [ThreadStatic]
    private static int t_descriptor;

    /// <summary>
    /// Gets whether the loaded libusb has a defect in <c>libusb_set_interface_alt_setting</c>: if the device is unplugged, the function unlocks a mutex that it
    /// has not locked, and <c>libusb_close</c> later aborts the process. libusb 1.0.27 fixed the defect, and introduced <c>libusb_init_context</c>. Therefore,
    /// the value is true if libusb lacks <c>libusb_init_context</c>.
    /// </summary>
    public static bool HasSettingDefect => !OptionalExports.IsAvailable(OptionalExports.libusb_init_context);

    /// <summary>
    /// Gets the notifier that a context uses if the program has set no notifier. When libusb adds a file descriptor to those that it watches, libusb passes the
    /// descriptor to this notifier. The value is null on systems that do not represent devices as files.
    /// </summary>
    public static delegate* unmanaged<int, short, void*, void> Notifier => OperatingSystem.IsLinux() ? &OnAdded : null;

    /// <summary>Clears the descriptor of a device that the thread has opened before.</summary>
    public static void Begin() => t_descriptor = 0;

    /// <summary>Stores a descriptor that libusb reports. Each notifier of added descriptors calls this method.</summary>
    public static void Note(int descriptor) => t_descriptor = descriptor + 1;

    /// <summary>
    /// Returns the file descriptor of the device that this thread has opened since it called <see cref="Begin"/>; null if libusb has reported no descriptor.
    /// </summary>
    public static int? Take()
    {
        int noted = t_descriptor;
        t_descriptor = 0;
        return noted == 0 ? null : noted - 1;
    }

    [UnmanagedCallersOnly]
    private static void OnAdded(int descriptor, short events, void* userData) => Note(descriptor);
}
