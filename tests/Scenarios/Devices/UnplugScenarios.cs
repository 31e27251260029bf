using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Devices;

/// <summary>Provides scenarios with an unplugged device. Each scenario runs in a separate process, because libusb may abort the process.</summary>
internal static unsafe class UnplugScenarios
{
    public const string Library = "library", Program = "program", Removed = "removed", Raw = "raw";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Opens a device, and waits until the test unplugs the device. Then tries to activate an alternate setting, and closes the handle.</summary>
    /// <param name="opened">The path of a file. The scenario creates this file after it has opened the device, and the test then unplugs the device.</param>
    /// <param name="notifiers">A constant of this class. It specifies who sets the pollfd notifiers of libusb before the scenario opens the device.</param>
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
            File.WriteAllText(opened, ""); // the test unplugs the device now
            Assert.True(left.Wait(s_patience));
            Assert.Equal(UsbError.NoDevice, claimed.TrySetAlternateSetting(0));
            Assert.Equal(UsbError.NoDevice, claimed.TrySetAlternateSetting(0));
            claimed.Dispose();
            handle.Dispose();
        }

        // With versions of libusb before 1.0.27, the library needs the file descriptor of the device node to activate a setting. If the program sets notifiers
        // through the raw layer, the library cannot get this descriptor. The library then leaves the handle open, so the file stays open. To check whether the
        // file is open, the scenario compares only the beginning of the path, because the kernel appends a word to the path of a removed node.
        bool isOpen = new FileInfo(file).LinkTarget?.StartsWith(target.FullName, StringComparison.Ordinal) == true;
        Assert.Equal(notifiers == Raw && !UsbLibrary.HasFunction(nameof(libusb.libusb_init_context)), isOpen);
    }

    private static int[] Descriptors(UsbContext context) => [.. context.GetPollFds().Select(static one => one.FileDescriptor)];
}
