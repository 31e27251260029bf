using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents one session with libusb: the list of devices and the handling of events. Most programs have one. Contexts are independent of each other.
/// </summary>
/// <remarks>
/// Disposing it closes everything that was opened through it: see <see cref="Dispose"/>. All members may be used from any thread.
/// </remarks>
public sealed unsafe partial class UsbContext : IDisposable, IAsyncDisposable
{
    private readonly ContextHandle _native;
    private readonly CloseState _closing = new();
    private readonly ChildSet<UsbDeviceHandle> _handles;
    private readonly ChildSet<UsbDevice> _devices;

    /// <summary>Opens a context (<c>libusb_init_context</c>, or <c>libusb_init</c> where libusb is older than 1.0.27).</summary>
    /// <param name="options">How it is made; null is all defaults.</param>
    /// <exception cref="DllNotFoundException">libusb is not installed; the message lists the names that were tried.</exception>
    /// <exception cref="UsbException">libusb refused.</exception>
    public UsbContext(UsbContextOptions? options = null)
    {
        LogScope.ThrowIfInside();
        options ??= new UsbContextOptions();
        _handles = new ChildSet<UsbDeviceHandle>(_closing);
        _devices = new ChildSet<UsbDevice>(_closing);
        _native = FirstContext.Open(() => new ContextHandle(OpenNative(options)));
        _pump = new EventPump(_native, _closing);
        _isManual = options.ManualEventHandling;
        HasDeviceDiscovery = !options.NoDeviceDiscovery && !s_discoveryIsOff;
        _hotplug = new HotplugMonitor(this);
    }

    /// <summary>Occurs when an exception leaves a callback.</summary>
    /// <remarks>
    /// Without a subscriber, the call that handles the events throws the exception when it returns: <see cref="HandleEvents"/>,
    /// <see cref="HandleEventsUntil"/> or <see cref="UsbPoller.Poll"/>. If several callbacks of that call failed, it throws an <see cref="AggregateException"/>
    /// with all of their exceptions. An event thread of the library (<see cref="StartEventThread"/>, or the one that the context starts by itself) cannot throw
    /// to the program: without a subscriber, the exception ends the process, as an unhandled exception does on any thread.
    /// </remarks>
    public event EventHandler<UsbUnhandledCallbackExceptionEventArgs>? UnhandledCallbackException;

    /// <summary>
    /// Gets whether the context discovers devices. False if the context was made with <see cref="UsbContextOptions.NoDeviceDiscovery"/>; with a libusb before
    /// 1.0.27, also if any earlier context of the process was. Such a context lists no devices and refuses hotplug.
    /// </summary>
    public bool HasDeviceDiscovery { get; }

    /// <summary>Gets whether it may be used.</summary>
    internal bool IsOpen => _closing.IsOpen;

    internal ContextHandle NativeHandle => _native;

    internal ChildSet<UsbDeviceHandle> Handles => _handles;

    internal ChildSet<UsbDevice> Devices => _devices;

    /// <summary>
    /// Gets the native context, for functions that the library does not offer. It is valid until the context is disposed; do not call <c>libusb_exit</c>.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public libusb_context* DangerousGetContext()
    {
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return _native.Pointer;
    }

    /// <summary>Changes how much libusb says (<c>libusb_set_option</c>).</summary>
    /// <param name="level">From nothing to every transfer.</param>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb refused it.</exception>
    public void SetLogLevel(UsbLogLevel level)
    {
        using var lease = new HandleLease(_native);
        UsbException.ThrowIfError(
            libusb.libusb_set_option(_native.Pointer, libusb_option.LIBUSB_OPTION_LOG_LEVEL, (int)level), "set the log level");
    }

    /// <summary>
    /// Receives what libusb logs in this context (<c>libusb_set_log_cb</c>); null stops it. See <see cref="UsbLogHandler"/> for its rules.
    /// libusb writes to standard error as well unless there is a handler for all contexts (<see cref="UsbLibrary.SetLogHandler"/>).
    /// </summary>
    /// <param name="handler">Called with every message at or above the context's level.</param>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public void SetLogHandler(UsbLogHandler? handler)
    {
        HandleReference.Add(_native); // not a lease: a log handler may replace itself
        try
        {
            LogDispatcher.Set(_native.Pointer, handler);
        }
        finally
        {
            _native.DangerousRelease();
        }
    }

    /// <summary>
    /// Gets the devices that are plugged in now (<c>libusb_get_device_list</c>). Nothing is opened and nothing is sent to a device.
    /// </summary>
    /// <returns>A list that owns its devices: dispose it when done. What was opened from it stays open.</returns>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb could not make the list.</exception>
    public UsbDeviceList GetDevices()
    {
        using var lease = new HandleLease(_native);
        if (!HasDeviceDiscovery) // libusb would list what was plugged in after another context of the process began to look
            return new UsbDeviceList([]);
        libusb_device** list;
        nint count = libusb.libusb_get_device_list(_native.Pointer, &list);
        UsbException.ThrowIfError((int)count, "list the devices");
        var devices = new List<UsbDevice>((int)count);
        try
        {
            for (nint i = 0; i < count; i++)
                devices.Add(new UsbDevice(this, list[i]));
        }
        catch
        {
            devices.ForEach(device => device.Dispose());
            throw;
        }
        finally
        {
            libusb.libusb_free_device_list(list, 1);
        }

        return new UsbDeviceList(devices);
    }

    /// <summary>Gets the first device that fits.</summary>
    /// <param name="filter">What to look for. With a serial number, each device that fits otherwise reports its own.</param>
    /// <returns>The device, to be disposed by the caller; null when none fits.</returns>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb could not make the list.</exception>
    public UsbDevice? FindDevice(UsbDeviceFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        using UsbDeviceList devices = GetDevices();
        foreach (UsbDevice device in devices)
        {
            if (filter.Matches(device))
                return devices.Take(device);
        }

        return null;
    }

    /// <summary>Gets the first device with these numbers.</summary>
    /// <param name="vendorId"><c>idVendor</c>.</param>
    /// <param name="productId"><c>idProduct</c>.</param>
    /// <returns>The device, to be disposed by the caller; null when there is none.</returns>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb could not make the list.</exception>
    public UsbDevice? FindDevice(ushort vendorId, ushort productId) =>
        FindDevice(new UsbDeviceFilter { VendorId = vendorId, ProductId = productId });

    /// <summary>
    /// Closes everything that was opened through this context, and then the context (<c>libusb_exit</c>): device handles are closed as
    /// <see cref="UsbDeviceHandle.Dispose"/> does, the event thread is stopped, threads in <see cref="HandleEvents"/> return, devices are released. Every caller
    /// waits until that is done. Called inside a callback of the context, it only begins: submissions are refused and transfers cancelled, the rest happens
    /// right after the call that handles the events, and no thread waits. May be called more than once.
    /// </summary>
    /// <remarks>
    /// A callback of another context may call it, and waits. Two callbacks of two contexts that close each other's context at the same time wait for each other
    /// for good: close at least one of the two on another thread.
    /// </remarks>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public void Dispose()
    {
        bool first = BeginClosing();
        if (!CallbackScope.IsInside(_native))
            FinishClosing(mayWait: true);
        else if (first)
            _native.Deferred.AddClosing(() => FinishClosing(mayWait: false));
    }

    /// <summary>
    /// Closes the context as <see cref="Dispose"/> does, and waits without blocking the calling thread. May be awaited by code that continues inside a callback
    /// (<see cref="UsbTransfer.ContinueOnEventThread"/>), and by any number of callers.
    /// </summary>
    /// <returns>Completes when everything is closed.</returns>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public ValueTask DisposeAsync()
    {
        BeginClosing();
        return new ValueTask(_closing.IsClosed ? _closing.Completion : Task.Run(() => FinishClosing(mayWait: true)));
    }

    private bool BeginClosing()
    {
        LogScope.ThrowIfInside();
        return _closing.TryBegin(() =>
        {
            foreach (UsbDeviceHandle handle in _handles.Snapshot())
                handle.BeginClosing();
        });
    }

    // One caller finishes. Others wait, but not in deferred work, whose thread may be the one that the finisher needs the events of.
    private void FinishClosing(bool mayWait)
    {
        if (!_closing.TryBeginFinish())
        {
            if (mayWait && !_closing.IsFinishedByThisThread)
                _closing.Completion.GetAwaiter().GetResult();
            return;
        }

        try
        {
            using var scope = new ClosingScope(_native);
            CloseChildren();
        }
        finally
        {
            LeaveNative();
            _closing.Complete();
            RunDeferred();
        }
    }

    private void CloseChildren()
    {
        foreach (UsbDeviceHandle handle in _handles.Snapshot())
            handle.FinishClosing(mayWait: true);

        _hotplug.EndAll();
        StopEventThread();
        foreach (UsbDevice device in _devices.Snapshot())
            device.Dispose();
        RunDeferred(); // objects that callbacks have released since hold the native context
    }

    // Threads that still handle events hold the native context, and the last one to leave exits it. First no thread is let in any more, and only then
    // the waiting threads are woken: otherwise one could come in again in between, and wait for a minute.
    private void LeaveNative()
    {
        using var lease = new HandleLease(_native);
        _closing.SetClosed();
        _native.Dispose();
        libusb.libusb_interrupt_event_handler(_native.Pointer);
    }
}
