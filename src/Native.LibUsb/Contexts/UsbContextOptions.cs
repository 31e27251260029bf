namespace Native.LibUsb;

/// <summary>Specifies the options of a context.</summary>
public sealed record UsbContextOptions
{
    /// <summary>
    /// Gets or sets how much libusb writes to standard error. The environment variable <c>LIBUSB_DEBUG</c> wins, and fixes it. Null leaves libusb's
    /// default, which is nothing.
    /// </summary>
    public UsbLogLevel? LogLevel { get; init; }

    /// <summary>
    /// Receives what libusb logs in this context, as <see cref="UsbContext.SetLogHandler"/> does. With libusb 1.0.27 or newer it receives the messages
    /// that libusb logs while the context opens, too. Say with <see cref="LogLevel"/> how much.
    /// </summary>
    public UsbLogHandler? LogHandler { get; init; }

    /// <summary>
    /// Does not look for devices, and has no hotplug: for sandboxes (Android) where devices come as file descriptors. Before libusb 1.0.27
    /// this can only be set for the whole process: every later context has it too.
    /// </summary>
    public bool NoDeviceDiscovery { get; init; }

    /// <summary>
    /// Specifies that the library never starts an event thread by itself. By default a context starts one when an awaitable operation (endpoint and control
    /// I/O, <see cref="UsbTransfer.SubmitAsync"/>, a ring, <see cref="UsbContext.WatchDevicesAsync"/>) needs it and no thread handles the context's events. With
    /// this option such an operation completes, and its cancellation takes effect, only while a thread handles events. The first such operation of a context
    /// that starts while no thread does logs a warning, at any log level.
    /// </summary>
    public bool ManualEventHandling { get; init; }

    /// <summary>Windows: uses the UsbDk backend. Elsewhere opening the context fails with <see cref="UsbError.NotSupported"/>.</summary>
    public bool UseUsbDk { get; init; }
}
