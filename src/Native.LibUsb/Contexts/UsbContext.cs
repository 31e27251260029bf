using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents a session with libusb. A context finds devices, and processes the events of libusb. Most programs need only one context. Contexts are independent
/// of each other.
/// </summary>
/// <remarks>
/// <see cref="Dispose"/> closes everything that was opened through the context. All members may be used from any thread.
/// </remarks>
public sealed unsafe partial class UsbContext : IDisposable, IAsyncDisposable
{
    private readonly ContextHandle _native;
    private readonly CloseState _closing = new();
    private readonly ChildSet<UsbDeviceHandle> _handles;
    private readonly ChildSet<UsbDevice> _devices;

    /// <summary>Initializes a context (<c>libusb_init_context</c>, or <c>libusb_init</c> if libusb is older than 1.0.27).</summary>
    /// <param name="options">The options of the context. With null, each option has its default value.</param>
    /// <exception cref="DllNotFoundException">No usable libusb was found. The message contains the reason, the remedy, and the files that were
    /// tried.</exception>
    /// <exception cref="UsbException">libusb could not open the context.</exception>
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
    /// If this event has no subscriber, the context queues the exception. <see cref="HandleEvents"/>, <see cref="HandleEventsUntil"/> and
    /// <see cref="UsbPoller.Poll"/> first handle all pending events, and then throw the queued exception. If several exceptions are queued, these methods throw
    /// an <see cref="AggregateException"/> with all of them. If an event thread handles the events, the queued exception ends the process, as an unhandled
    /// exception does on any thread. Event threads are the threads that <see cref="StartEventThread"/> or the context itself has started.
    /// </remarks>
    public event EventHandler<UsbUnhandledCallbackExceptionEventArgs>? UnhandledCallbackException;

    /// <summary>
    /// Gets whether the context discovers devices. The value is false if the context was opened with <see cref="UsbContextOptions.NoDeviceDiscovery"/>. If
    /// libusb is older than 1.0.27, the value is also false if any earlier context of the process was opened with that option. A context without device
    /// discovery lists no devices and refuses hotplug subscriptions.
    /// </summary>
    public bool HasDeviceDiscovery { get; }

    /// <summary>Gets whether the context may be used.</summary>
    internal bool IsOpen => _closing.IsOpen;

    internal ContextHandle NativeHandle => _native;

    internal ChildSet<UsbDeviceHandle> Handles => _handles;

    internal ChildSet<UsbDevice> Devices => _devices;

    /// <summary>
    /// Gets the native context, for functions of libusb that the facade does not offer. The pointer is valid until the context is disposed. Do not call
    /// <c>libusb_exit</c> with it.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public libusb_context* DangerousGetContext()
    {
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return _native.Pointer;
    }

    /// <summary>Sets the log level of this context (<c>libusb_set_option</c>). libusb logs the messages of this level and all more severe messages.</summary>
    /// <param name="level">The level.</param>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb refused the level.</exception>
    public void SetLogLevel(UsbLogLevel level)
    {
        using var lease = new HandleLease(_native);
        UsbException.ThrowIfError(
            libusb.libusb_set_option(_native.Pointer, libusb_option.LIBUSB_OPTION_LOG_LEVEL, (int)level), "set the log level");
    }

    /// <summary>
    /// Sets the handler for the messages that libusb logs in this context (<c>libusb_set_log_cb</c>). <see cref="UsbLogHandler"/> describes the rules for
    /// handlers. libusb also writes the messages to standard error, unless <see cref="UsbLibrary.SetLogHandler"/> has set a handler for all contexts.
    /// </summary>
    /// <param name="handler">
    /// The handler. It is called with each message that is at least as severe as the context's log level. Null removes the handler.
    /// </param>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public void SetLogHandler(UsbLogHandler? handler)
    {
        HandleReference.Add(_native); // a HandleLease would throw in a log handler, which may replace itself
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
    /// Gets the devices that are plugged in now (<c>libusb_get_device_list</c>). The method opens no device and sends nothing to a device.
    /// </summary>
    /// <returns>
    /// A list that owns its devices. The caller must dispose the list. If the program has opened devices of the list, their handles stay open when the list is
    /// disposed.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb could not make the list.</exception>
    public UsbDeviceList GetDevices()
    {
        using var lease = new HandleLease(_native);
        if (!HasDeviceDiscovery) // libusb would list the devices that were plugged in after another context of the process began discovery
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

    /// <summary>Gets the first device that matches a filter.</summary>
    /// <param name="filter">The filter. If it contains a serial number, the method reads the serial number of each device that matches the other
    /// criteria.</param>
    /// <returns>The device, which the caller must dispose; null if no device matches.</returns>
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

    /// <summary>Gets the first device with a vendor id and a product id.</summary>
    /// <param name="vendorId">The vendor id (<c>idVendor</c>).</param>
    /// <param name="productId">The product id (<c>idProduct</c>).</param>
    /// <returns>The device, which the caller must dispose; null if there is no such device.</returns>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    /// <exception cref="UsbException">libusb could not make the list.</exception>
    public UsbDevice? FindDevice(ushort vendorId, ushort productId) =>
        FindDevice(new UsbDeviceFilter { VendorId = vendorId, ProductId = productId });

    /// <summary>
    /// Closes everything that was opened through this context, and then the context itself (<c>libusb_exit</c>). The method closes device handles in the same
    /// way as <see cref="UsbDeviceHandle.Dispose"/>, stops the event thread, releases the devices, and makes the threads in <see cref="HandleEvents"/> return.
    /// The method waits until everything is closed. Inside a callback of the context, the method does not wait: it only prevents further submissions and
    /// cancels the transfers in flight. The call that handles the events then closes everything before it returns. The method may be called more than once.
    /// </summary>
    /// <remarks>
    /// Inside a callback of a different context, this method does wait. Two contexts deadlock if a callback of each context closes the other context at the
    /// same time. To avoid the deadlock, close at least one of the contexts on another thread.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The method was called from a log handler.</exception>
    public void Dispose()
    {
        bool first = BeginClosing();
        if (!CallbackScope.IsInside(_native))
            FinishClosing(mayWait: true);
        else if (first)
            _native.Deferred.AddClosing(() => FinishClosing(mayWait: false));
    }

    /// <summary>
    /// Closes the context as <see cref="Dispose"/> does, and waits without blocking the calling thread. Any number of callers may await the result. Code that
    /// runs inside a callback, for example because of <see cref="UsbTransfer.ContinueOnEventThread"/>, may also await the result.
    /// </summary>
    /// <returns>A task that completes when everything is closed.</returns>
    /// <exception cref="InvalidOperationException">The method was called from a log handler.</exception>
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

    // The first caller of this method closes the context, and the other callers wait for the first caller. A call that runs as deferred work (mayWait is false)
    // does not wait. The first caller may itself be waiting for events that only the thread of this call handles. If this thread waited, the two threads would
    // deadlock.
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
        RunDeferred(); // objects that callbacks have released, but whose release was deferred, still refer to the native context
    }

    // Each thread that still handles events has a reference to the native context. The thread that releases the last reference calls libusb_exit. This method
    // marks the context as closed before it wakes the waiting threads. If it woke them first, a thread could start another wait before it sees the mark, and
    // would then wait for up to 60 seconds.
    private void LeaveNative()
    {
        using var lease = new HandleLease(_native);
        _closing.SetClosed();
        _native.Dispose();
        libusb.libusb_interrupt_event_handler(_native.Pointer);
    }
}
