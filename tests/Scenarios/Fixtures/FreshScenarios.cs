using Microsoft.Win32.SafeHandles;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Devices;
using Native.LibUsb.Tests.Events;
using Native.LibUsb.Tests.Library;
using Native.LibUsb.Tests.Streaming;

namespace Native.LibUsb.Tests;

/// <summary>Provides the scenarios that run in new processes. <see cref="FreshProcessTests"/> starts them.</summary>
internal static class FreshScenarios
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static IReadOnlyDictionary<string, Action<string[]>> All { get; } = new Dictionary<string, Action<string[]>>
    {
        [nameof(Defaults)] = _ => Defaults(),
        [nameof(LogLevelOfTheEnvironment)] = _ => LogLevelOfTheEnvironment(),
        [nameof(NoDeviceDiscovery)] = arguments => NoDeviceDiscovery(arguments[0]),
        [nameof(FileClosedInFlight)] = arguments => FileClosedInFlight(arguments[0]),
        [nameof(MissingBus)] = arguments => MissingBus(arguments[0]),
        [nameof(FirstContextIsClosedWhileItLogs)] = arguments => FirstContextIsClosedWhileItLogs(arguments[0]),
        [nameof(UnplugScenarios.SettingAfterUnplug)] = arguments => UnplugScenarios.SettingAfterUnplug(arguments[0], arguments[1]),
        [nameof(BusWithoutPreload)] = arguments => BusWithoutPreload(bool.Parse(arguments[0])),
        [nameof(RealTimeScenarios.NotPermitted)] = _ => RealTimeScenarios.NotPermitted(),
        [nameof(RealTimeScenarios.PermittedByLimit)] = _ => RealTimeScenarios.PermittedByLimit(),
        [nameof(PacketScanTests.ScanWithoutSse)] = _ => PacketScanTests.ScanWithoutSse(),
    };

    // The process has not set any option, so libusb uses its defaults.
    private static void Defaults()
    {
        Assert.False(UsbLibrary.IsLoaded);
        Assert.Null(UsbLibrary.LoadedPath);
        var lines = new List<string>();
        UsbLibrary.SetLogHandler((level, message) => lines.Add($"{level} {System.Text.Encoding.UTF8.GetString(message)}"));
        Assert.True(UsbLibrary.IsLoaded);
        string english = UsbLibrary.GetErrorMessage(UsbError.Pipe);
        UsbLibrary.SetLocale("en");
        Assert.Equal(english, UsbLibrary.GetErrorMessage(UsbError.Pipe));
        using (var context = new UsbContext())
        {
            Assert.True(context.HasDeviceDiscovery);
            using UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
            using UsbDeviceHandle handle = device.Open();
            Assert.Throws<UsbException>(() => handle.ClaimInterface(9)); // libusb logs this at a higher level
            Assert.Equal(UsbError.Access, context.FindDevice(0x1209, 0x0012)!.TryOpen(out _)); // libusb logs this as an error
            Assert.Empty(lines);
            context.SetLogLevel(UsbLogLevel.Error);
            Assert.Equal(UsbError.Access, context.FindDevice(0x1209, 0x0012)!.TryOpen(out _));
            Assert.NotEmpty(lines);
            Assert.All(lines, line => Assert.StartsWith("Error ", line, StringComparison.Ordinal));
            context.SetLogLevel(UsbLogLevel.Debug);
        }

        // The next context does not inherit the level.
        lines.Clear();
        using (var context = new UsbContext())
            context.GetDevices().Dispose();
        Assert.Empty(lines);
    }

    // The process was started without the preload library of the bus. If the argument is true, libusb is loaded before the bus is created.
    private static void BusWithoutPreload(bool isLibUsbLoaded)
    {
        if (Path.GetFileName(Environment.ProcessPath)!.StartsWith("ld-linux", StringComparison.Ordinal))
        {
            // If the dynamic loader starts the program, the program's base folder is the folder of the loader. This folder does not contain the preload
            // library.
            PlatformNotSupportedException missing = Assert.Throws<PlatformNotSupportedException>(() => new VirtualBus(new VirtualBusOptions { Host = VirtualBusHost.Preload }));
            Assert.Contains("libnative-libusb-usbfs.so was not found", missing.Message, StringComparison.Ordinal);
            Assert.Contains("Native.LibUsb.Testing", missing.Message, StringComparison.Ordinal);
            return;
        }

        if (isLibUsbLoaded)
            new UsbContext().Dispose();
        BulkLoopback loopback = new();
        using (VirtualBus children = new(new VirtualBusOptions { Host = VirtualBusHost.Preload, ForChildProcesses = true }))
        {
            children.Attach(loopback);
            using var other = new UsbContext();
            using UsbDevice? invisible = other.FindDevice(0x1209, 0x0011);
            Assert.Null(invisible);
        }

        using VirtualBus bus = new(new VirtualBusOptions { Host = VirtualBusHost.Preload });
        bus.Attach(loopback);
        Assert.True(File.Exists($"/dev/bus/usb/{loopback.BusNumber:d3}/{loopback.DeviceNumber:d3}"));
        using var context = new UsbContext();
        using var left = new ManualResetEventSlim();
        using UsbHotplugRegistration registration = context.RegisterHotplug(_ => left.Set(), events: UsbHotplugEvents.Left);
        using UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);
        claimed.SetAlternateSetting(0);
        byte[] buffer = new byte[512];
        Assert.Equal(5, claimed.GetEndpoint(UsbDirection.Out, UsbTransferType.Bulk).Write("hello"u8, s_patience));
        Assert.Equal(5, claimed.GetEndpoint(UsbDirection.In, UsbTransferType.Bulk).Read(buffer, s_patience));
        Assert.Equal("hello"u8, buffer.AsSpan(0, 5));
        bus.Detach(loopback);
        while (!left.IsSet)
            context.HandleEvents(TimeSpan.FromMilliseconds(100));
    }

    // The test sets LIBUSB_DEBUG to 4.
    private static void LogLevelOfTheEnvironment()
    {
        int lines = 0;
        UsbLibrary.SetLogHandler((_, _) => Interlocked.Increment(ref lines));
        using var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.None });
        context.SetLogLevel(UsbLogLevel.None); // succeeds, and changes nothing
        Volatile.Write(ref lines, 0);
        context.GetDevices().Dispose();
        Assert.True(Volatile.Read(ref lines) > 0);
    }

    // This scenario creates three contexts in this order: an ordinary context, the context without discovery, and another ordinary context.
    private static void NoDeviceDiscovery(string node)
    {
        using (var first = new UsbContext())
        {
            Assert.True(first.HasDeviceDiscovery);
            using (var context = new UsbContext(new UsbContextOptions { NoDeviceDiscovery = true }))
                NoDiscovery.Check(context, node);
            using UsbDevice? still = first.FindDevice(0x1209, 0x0011); // this context was created before the option was set
            Assert.NotNull(still);
        }

        using var later = new UsbContext();
        if (UsbLibrary.HasFunction(nameof(libusb.libusb_init_context)))
        {
            Assert.True(later.HasDeviceDiscovery);
            using UsbDevice? device = later.FindDevice(0x1209, 0x0011);
            Assert.NotNull(device);
        }
        else
        {
            NoDiscovery.Check(later, node); // this libusb cannot undo the option
        }
    }

    // This program violates the library's rules: it closes the file descriptor of an open device while a transfer is in flight. The kernel discards the
    // transfer, and libusb never calls the callback.
    private static void FileClosedInFlight(string node)
    {
        var reported = new List<Exception>();
        var context = new UsbContext();
        context.UnhandledCallbackException += (_, e) => reported.Add(e.Exception);
        SafeFileHandle file = File.OpenHandle(node, FileMode.Open, FileAccess.ReadWrite);
        UsbDeviceHandle handle = context.WrapSystemDevice(file.DangerousGetHandle());
        handle.ClaimInterface(0);
        UsbTransfer transfer = handle.CreateTransfer();
        int callbacks = 0;
        transfer.SetBulk(BulkLoopback.InAddress, 512, _ => callbacks++);
        transfer.Submit();
        file.Dispose();
        Assert.Equal(UsbError.IO, Assert.Throws<UsbException>(() => context.HandleEvents(s_patience)).Error);
        handle.Dispose(); // returns, and reports that events could not be handled
        Assert.Equal(UsbError.IO, Assert.IsType<UsbException>(Assert.Single(reported)).Error);
        context.Dispose();
        Assert.Equal(0, callbacks);
        Assert.True(transfer.IsSubmitted); // the library does not free the memory, because the kernel might still use it
        Assert.Throws<ObjectDisposedException>(() => handle.ClaimInterface(0));
    }

    // The folder /dev/bus/usb does not exist, and this libusb needs it.
    private static void MissingBus(string library)
    {
        UsbLibrary.SetPath(library);
        OpenWithoutBus();
    }

    private static void OpenWithoutBus()
    {
        UsbException exception = Assert.Throws<UsbException>(() => new UsbContext());
        Assert.Equal(UsbError.Other, exception.Error);
        Assert.Contains("/dev/bus/usb does not exist or is empty", exception.Message, StringComparison.Ordinal);
        Assert.Contains("--device /dev/bus/usb", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    // In this scenario, libusb's hotplug thread logs a message, and waits in the log handler until the first context has been closed. Versions of libusb before
    // 1.0.28 use the first context for this message. The counting allocator overwrites freed memory, so a later use of the first context fails.
    private static void FirstContextIsClosedWhileItLogs(string closing)
    {
        using var inMessage = new ManualResetEventSlim();
        using var closed = new ManualResetEventSlim();
        int stopped = 0;
        UsbLibrary.SetLogHandler((_, message) =>
        {
            if (message.IndexOf("udev hotplug event"u8) < 0 || Interlocked.Exchange(ref stopped, 1) != 0)
                return;
            inMessage.Set();
            Assert.True(closed.Wait(s_patience));
        });
        UsbContext? first = new(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
        using var second = new UsbContext();
        File.WriteAllText(closing, ""); // the test plugs a device in now
        if (!UsbLibrary.HasFunction(nameof(libusb.libusb_get_ssplus_usb_device_capability_descriptor)))
            Assert.True(inMessage.Wait(s_patience));
        first.Dispose();
        first = null;
        closed.Set();
        second.GetDevices().Dispose(); // waits until the hotplug thread has processed the device
        UsbLibrary.SetLogHandler(null);
    }
}
