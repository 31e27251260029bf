namespace Native.LibUsb;

/// <summary>
/// Represents a claimed interface. Until the object is disposed, no other program and no kernel driver can use the interface's endpoints.
/// <see cref="UsbDeviceHandle.ClaimInterface"/> creates these objects.
/// </summary>
/// <remarks>
/// The library counts claims. If a program claims an interface twice through one handle, it gets two objects, and the library releases the interface when both
/// are disposed. Any thread may use all members. Members that wait for the device must not be called from a callback.
/// </remarks>
public sealed partial class UsbInterface : IDisposable, IAsyncDisposable
{
    private readonly ClaimedInterface _claimed;
    private readonly CloseState _closing = new();
    private EndpointList? _endpoints;
    private bool _isLast;

    internal UsbInterface(UsbDeviceHandle handle, ClaimedInterface claimed)
    {
        Handle = handle;
        _claimed = claimed;
    }

    /// <summary>Gets the open device.</summary>
    public UsbDeviceHandle Handle { get; }

    /// <summary>Gets <c>bInterfaceNumber</c>.</summary>
    public int Number => _claimed.Number;

    /// <summary>Gets all alternate settings, in the order of the descriptors. The list is empty if the descriptors could not be read.</summary>
    public IReadOnlyList<UsbInterfaceDescriptor> AlternateSettings => _claimed.Settings;

    /// <summary>
    /// Gets the active alternate setting. If the program has called <see cref="SetAlternateSetting"/>, the value is the setting that this call activated.
    /// Otherwise, another program may have activated a setting, so the library reads the number of the setting from the system (on Linux) or from the device
    /// (GET_INTERFACE, on other systems). If the device does not answer, the library assumes setting 0.
    /// </summary>
    /// <exception cref="UsbException"><see cref="UsbError.NotFound"/>: the descriptors of the interface could not be read.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public UsbInterfaceDescriptor ActiveSetting
    {
        get
        {
            CheckOpen();
            return Handle.Claims.GetActiveSetting(_claimed);
        }
    }

    /// <summary>Gets the endpoints of the active setting, in the order of the descriptors.</summary>
    /// <exception cref="UsbException"><see cref="UsbError.NotFound"/>: the descriptors of the interface could not be read.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public IReadOnlyList<UsbEndpoint> Endpoints
    {
        get
        {
            while (true)
            {
                int generation = _claimed.Generation; // read before the setting: if the setting changes between the two lines, the new endpoints are stale
                UsbInterfaceDescriptor setting = ActiveSetting;
                EndpointList? known = Volatile.Read(ref _endpoints);
                if (known?.Generation == generation)
                    return known.Endpoints;
                if (known is not null && known.Generation - generation > 0)
                    continue; // another thread has stored the endpoints of a later setting
                UsbEndpoint[] made = [.. setting.Endpoints.Select(descriptor => new UsbEndpoint(this, descriptor, generation))];
                if (Interlocked.CompareExchange(ref _endpoints, new EndpointList(made, generation), known) == known)
                {
                    known?.DropTransfers();
                    return made;
                }
            }
        }
    }

    internal ClaimedInterface Claimed => _claimed;

    /// <summary>Gets whether the claim may be used: neither the claim nor its handle is closing.</summary>
    internal bool IsOpen => _closing.IsOpen && Handle.IsOpen;

    /// <summary>
    /// Gets whether the calling thread is in a callback while the claim or its handle is closing. While a callback runs, another thread can begin to close the
    /// claim or the handle at any moment. The callback cannot detect the closing before it calls a method. If the value is true, an asynchronous method
    /// therefore does not throw <see cref="ObjectDisposedException"/>. Instead, the returned task ends with a <see cref="UsbTransferCanceledException"/> or
    /// with <see cref="UsbError.Closed"/>.
    /// </summary>
    internal bool IsClosingInCallback => !IsOpen && CallbackScope.IsInside(Handle.Context.NativeHandle);

    /// <summary>Gets the endpoint with the given address.</summary>
    /// <param name="address">The address, including the direction bit: 0x81 is the IN endpoint 1.</param>
    /// <returns>The endpoint. Until the setting changes, each call returns the same object.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the active setting has no such endpoint. If another setting has such an endpoint, <see cref="UsbException.Hint"/> names
    /// that setting.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="address"/> is not a valid endpoint address.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public UsbEndpoint GetEndpoint(byte address)
    {
        UsbEndpointAddress.Check(address, nameof(address));
        return Endpoints.FirstOrDefault(endpoint => endpoint.Address == address) ?? throw NotFound(
            $"find endpoint 0x{address:x2} in alternate setting {ActiveSetting.Number} of interface {Number}", endpoint => endpoint.Address == address);
    }

    /// <summary>Gets the first endpoint with the given direction and transfer type.</summary>
    /// <param name="direction">The direction of the endpoint's data.</param>
    /// <param name="type">The type of the endpoint's transfers.</param>
    /// <returns>The endpoint. Until the setting changes, each call returns the same object.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the active setting has no such endpoint. If another setting has such an endpoint, <see cref="UsbException.Hint"/> names
    /// that setting.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public UsbEndpoint GetEndpoint(UsbDirection direction, UsbTransferType type) =>
        Endpoints.FirstOrDefault(endpoint => endpoint.Direction == direction && endpoint.TransferType == type) ?? throw NotFound(
            $"find the {direction} endpoint for {type} transfers in alternate setting {ActiveSetting.Number} of interface {Number}",
            endpoint => endpoint.Direction == direction && endpoint.TransferType == type);

    /// <summary>
    /// Ends the claim. The method prevents further submissions, and stops the rings and transfers that the program created through the claim's endpoint
    /// objects. If the interface has no other claim, the method stops all rings and transfers on the interface's endpoints. The method waits until all
    /// callbacks of the stopped rings and transfers have returned. If no event thread handles events, the method itself handles events while it waits. If the
    /// interface has no other claim, the method finally releases the interface (<c>libusb_release_interface</c>). Inside a callback of the context, the method
    /// does not wait: it only prevents further submissions, and stops the rings and transfers. The library does the rest at the end of the call that handles
    /// the events. The method may be called more than once. Outside a callback, every call waits until the claim has ended.
    /// </summary>
    /// <remarks>
    /// The method also disposes the transfers that the program created through the claim's endpoint objects. The method does not dispose the transfers that the
    /// program created with <see cref="UsbDeviceHandle.CreateTransfer"/>. After the program has claimed the interface again, it can submit these transfers
    /// again. The method does not wait for a synchronous transfer of another thread. On Linux, such a transfer ends when the interface is released, and the
    /// other thread's call throws an exception.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public void Dispose()
    {
        bool first = BeginClosing();
        if (!CallbackScope.IsInside(Handle.Context.NativeHandle))
            FinishClosing(mayWait: true);
        else if (first)
            Handle.Context.NativeHandle.Deferred.AddClosing(() => FinishClosing(mayWait: false));
    }

    /// <summary>Ends the claim as <see cref="Dispose"/> does, but does not wait for transfers.</summary>
    /// <remarks>
    /// If a request of <see cref="SetAlternateSetting"/> or <see cref="SetAlternateSettingAsync"/> is running on the same handle, the method blocks the calling
    /// thread until the request ends.
    /// </remarks>
    /// <returns>A task that completes when the claim has ended.</returns>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public ValueTask DisposeAsync()
    {
        BeginClosing();
        return new ValueTask(_closing.IsClosed ? _closing.Completion : Task.Run(() => FinishClosing(mayWait: true)));
    }

    /// <summary>Throws an exception if the interface is closing.</summary>
    internal void CheckOpen() => ObjectDisposedException.ThrowIf(!IsOpen, _closing.IsOpen ? Handle : this);

    private bool BeginClosing()
    {
        LogScope.ThrowIfInside();
        return _closing.TryBegin(() => _isLast = Handle.Claims.BeginRelease(this, _claimed));
    }

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
            using var scope = new ClosingScope(Handle.Context.NativeHandle);
            Handle.CloseClaim(this, _isLast ? _claimed : null);
        }
        finally
        {
            _closing.Complete();
            Handle.Context.RunDeferred();
        }
    }

    private UsbException NotFound(string operation, Func<UsbEndpointDescriptor, bool> isWanted)
    {
        UsbInterfaceDescriptor? other = AlternateSettings.FirstOrDefault(setting => setting.Endpoints.Any(isWanted));
        UsbInterfaceDescriptor active = ActiveSetting;
        string endpoints = string.Join(", ", active.Endpoints.Select(static one => $"0x{one.Address:x2} ({one.TransferType} {one.Direction})"));
        string list = $"Alternate setting {active.Number} of interface {Number} has {(endpoints.Length == 0 ? "no endpoints" : $"the endpoints {endpoints}")}.";
        return new UsbException(
            UsbError.NotFound, operation, hint: other is null ? list : $"Alternate setting {other.Number} has such an endpoint: call SetAlternateSetting({other.Number}). {list}");
    }

    /// <summary>Represents the endpoint objects of one generation.</summary>
    private sealed class EndpointList(UsbEndpoint[] endpoints, int generation)
    {
        public UsbEndpoint[] Endpoints => endpoints;

        public int Generation => generation;

        public void DropTransfers()
        {
            foreach (UsbEndpoint endpoint in endpoints)
                endpoint.DropTransfers();
        }
    }
}
