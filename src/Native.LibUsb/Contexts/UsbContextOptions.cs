namespace Native.LibUsb;

/// <summary>Specifies the options of a context.</summary>
public sealed record UsbContextOptions
{
    /// <summary>
    /// Gets or sets the log level. libusb logs the messages of this level and all more severe messages. libusb writes the messages to standard error, unless
    /// <see cref="UsbLibrary.SetLogHandler"/> has set a handler. The environment variable <c>LIBUSB_DEBUG</c> overrides this value, and prevents later changes
    /// of the level. With null, libusb uses its default level and logs nothing.
    /// </summary>
    public UsbLogLevel? LogLevel { get; init; }

    /// <summary>
    /// Gets or sets the handler for the messages that libusb logs in this context; <see cref="UsbContext.SetLogHandler"/> can change it later. With libusb
    /// 1.0.27 or newer, the handler also receives the messages that libusb logs while it opens the context. <see cref="LogLevel"/> determines which messages
    /// libusb logs.
    /// </summary>
    public UsbLogHandler? LogHandler { get; init; }

    /// <summary>
    /// Gets or sets whether the context works without device discovery and hotplug. This option is for sandboxes in which a program receives devices as file
    /// descriptors, as on Android. If libusb is older than 1.0.27, the option applies to the whole process: all contexts that the process opens later also work
    /// without device discovery.
    /// </summary>
    public bool NoDeviceDiscovery { get; init; }

    /// <summary>
    /// Gets or sets whether only the program handles the events. If the value is false, the default, a context starts an event thread when an awaitable
    /// operation needs events and no thread handles them. Awaitable operations are endpoint and control I/O, <see cref="UsbTransfer.SubmitAsync"/>, rings and
    /// <see cref="UsbContext.WatchDevicesAsync"/>. If the value is true, the library never starts an event thread by itself, so the program must handle the
    /// events. While no thread handles events, no transfer ends, even if it is cancelled. If an awaitable operation starts while no thread handles events, the
    /// context logs a warning, regardless of the log level. The context does not repeat the warning until a thread has handled events again.
    /// </summary>
    public bool ManualEventHandling { get; init; }

    /// <summary>
    /// Gets or sets whether libusb uses the UsbDk backend on Windows. On other systems, a context with this option cannot be opened
    /// (<see cref="UsbError.NotSupported"/>).
    /// </summary>
    public bool UseUsbDk { get; init; }
}
