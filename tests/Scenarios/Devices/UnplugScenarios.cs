using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Devices;

/// <summary>Represents what a program does with a device that was unplugged. Runs in a process of its own, which libusb may abort.</summary>
internal static unsafe class UnplugScenarios
{
    public const string Library = "library", Program = "program", Removed = "removed", Raw = "raw";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Requests an alternate setting of a device that has gone, and closes it.</summary>
    /// <param name="opened">The path of the file that this scenario creates when it has opened the device; the test then unplugs it.</param>
    /// <param name="notifiers">Whose notifiers of descriptors libusb has while the device is opened.</param>
    public static void SettingAfterUnplug(string opened, string notifiers)
    {
        using var context = new UsbContext();
        using var left = new ManualResetEventSlim();
        int notified = 0;
        if (notifiers is Program or Removed)
            context.SetPollFdNotifiers(_ => notified++, null);
        if (notifiers == Removed)
            context.SetPollFdNotifiers(null, null);
        if (notifiers == Raw)
            libusb.libusb_set_pollfd_notifiers(context.DangerousGetContext(), null, null, null);
        using UsbHotplugRegistration registration = context.RegisterHotplug(_ => left.Set(), events: UsbHotplugEvents.Left);
        int[] before = Descriptors(context);
        UsbDeviceHandle handle;
        using (UsbDevice device = context.FindDevice(0x1209, 0x0011)!)
            handle = device.Open();
        string file = $"/proc/self/fd/{Descriptors(context).Except(before).Single()}";
        FileSystemInfo? target = File.ResolveLinkTarget(file, returnFinalTarget: false);
        Assert.NotNull(target);
        Assert.Equal(notifiers == Program ? 1 : 0, notified);
        UsbInterface claimed = handle.ClaimInterface(0);
        claimed.SetAlternateSetting(0);
        Assert.Equal(UsbError.NotFound, claimed.TrySetAlternateSetting(7));
        using (context.StartEventThread())
        {
            File.WriteAllText(opened, ""); // the test unplugs it now
            Assert.True(left.Wait(s_patience));
            Assert.Equal(UsbError.NoDevice, claimed.TrySetAlternateSetting(0));
            Assert.Equal(UsbError.NoDevice, claimed.TrySetAlternateSetting(0));
            claimed.Dispose();
            handle.Dispose();
        }

        // The file is closed, unless the program has kept libusb from telling the library which one it is.
        // The kernel appends a word to the name of a node that is gone, and the link to it leads nowhere.
        bool isOpen = new FileInfo(file).LinkTarget?.StartsWith(target.FullName, StringComparison.Ordinal) == true;
        Assert.Equal(notifiers == Raw && !UsbLibrary.HasFunction(nameof(libusb.libusb_init_context)), isOpen);
    }

    private static int[] Descriptors(UsbContext context) => [.. context.GetPollFds().Select(static one => one.FileDescriptor)];
}
