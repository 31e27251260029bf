namespace Native.LibUsb;

/// <summary>
/// Represents a claimed interface: no other program and no kernel driver uses its endpoints until it is disposed. Made by
/// <see cref="UsbDeviceHandle.ClaimInterface"/>.
/// </summary>
/// <remarks>
/// Claims are counted: an interface that was claimed twice through one handle is released when both objects are disposed. All members may be used from any
/// thread. Members that talk to the device and wait must not be called from a callback.
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

    /// <summary>Gets all alternate settings, in the order of the descriptors; empty if the descriptors could not be read.</summary>
    public IReadOnlyList<UsbInterfaceDescriptor> AlternateSettings => _claimed.Settings;

    /// <summary>
    /// Gets the alternate setting that is active. It is known after <see cref="SetAlternateSetting"/>; before, it is read from the system on Linux and from the
    /// device elsewhere (GET_INTERFACE), because another program may have chosen it. A device that does not answer is taken to be in setting 0.
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
                int generation = _claimed.Generation; // before the setting: a change between the two makes the endpoints stale, and not those of another setting
                UsbInterfaceDescriptor setting = ActiveSetting;
                EndpointList? known = Volatile.Read(ref _endpoints);
                if (known?.Generation == generation)
                    return known.Endpoints;
                if (known is not null && known.Generation - generation > 0)
                    continue; // another thread has seen a later change: its list stays
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

    /// <summary>Gets whether it may be used: neither it nor its handle is closing.</summary>
    internal bool IsOpen => _closing.IsOpen && Handle.IsOpen;

    /// <summary>Gets whether a callback calls that cannot know that it is closing: awaited calls are canceled then, and nothing is thrown.</summary>
    internal bool IsClosingInCallback => !IsOpen && CallbackScope.IsInside(Handle.Context.NativeHandle);

    /// <summary>Gets the endpoint with an address.</summary>
    /// <param name="address">The address, with the direction bit: 0x81 is IN 1.</param>
    /// <returns>The same object for each call, until the setting changes.</returns>
    /// <exception cref="UsbException"><see cref="UsbError.NotFound"/>: the active setting has no such endpoint; the hint names the setting that has.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not an endpoint address.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public UsbEndpoint GetEndpoint(byte address)
    {
        UsbEndpointAddress.Check(address, nameof(address));
        return Endpoints.FirstOrDefault(endpoint => endpoint.Address == address) ?? throw NotFound(
            $"find endpoint 0x{address:x2} in alternate setting {ActiveSetting.Number} of interface {Number}", endpoint => endpoint.Address == address);
    }

    /// <summary>Gets the first endpoint of a direction and a transfer type.</summary>
    /// <param name="direction">The direction of its data.</param>
    /// <param name="type">The type of its transfers.</param>
    /// <returns>The same object for each call, until the setting changes.</returns>
    /// <exception cref="UsbException"><see cref="UsbError.NotFound"/>: the active setting has no such endpoint; the hint names the setting that has.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public UsbEndpoint GetEndpoint(UsbDirection direction, UsbTransferType type) =>
        Endpoints.FirstOrDefault(endpoint => endpoint.Direction == direction && endpoint.TransferType == type) ?? throw NotFound(
            $"find the {direction} endpoint for {type} transfers in alternate setting {ActiveSetting.Number} of interface {Number}",
            endpoint => endpoint.Direction == direction && endpoint.TransferType == type);

    /// <summary>
    /// Activates an alternate setting (<c>libusb_set_interface_alt_setting</c>). Endpoints that were obtained before become stale, even if it is the same setting.
    /// Reads, writes and submissions on endpoints of the interface are refused in the meantime.
    /// </summary>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>, 0 to 255.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the interface has no such setting. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// <see cref="UsbError.IO"/>: on a real bus,
    /// often no bandwidth is left for it.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    /// <exception cref="InvalidOperationException">
    /// A ring, a transfer, or a call that reads or writes is active on an endpoint of the interface (the message names it), or the method is called from a
    /// callback of this context.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public void SetAlternateSetting(int alternateSetting)
    {
        UsbError error = TrySetAlternateSetting(alternateSetting);
        if (error != UsbError.Success)
        {
            UsbException.Throw(error, $"activate alternate setting {alternateSetting} of interface {Number}", hint: error == UsbError.NotFound && AlternateSettings.Count > 0
                ? $"Alternate settings of interface {Number}: {string.Join(", ", AlternateSettings.Select(static setting => setting.Number))}." : null);
        }
    }

    /// <summary>Activates an alternate setting as <see cref="SetAlternateSetting"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="SetAlternateSetting"/>
    /// <returns><see cref="UsbError.Success"/>, or why it was not activated.</returns>
    public UsbError TrySetAlternateSetting(int alternateSetting)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(alternateSetting);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(alternateSetting, byte.MaxValue);
        CheckOpen();
        CallbackScope.ThrowIfInside(Handle.Context.NativeHandle, "activate an alternate setting");
        UsbError error = Handle.Claims.TrySetAlternateSetting(_claimed, alternateSetting, out byte? busy);
        if (busy is not null)
        {
            throw new InvalidOperationException(
                $"Alternate setting {alternateSetting} of interface {Number} cannot be activated while " + (Handle.IsOnlyEnding(_claimed)
                    ? $"a disposed transfer on endpoint 0x{busy:x2} is still ending: await DisposeAsync, or handle events."
                    : $"a ring, a transfer or a call on endpoint 0x{busy:x2} is active: stop it first."));
        }

        if (error == UsbError.Success)
            DropStaleEndpoints();
        return error;
    }

    // Another thread may have made the endpoints of the new setting already: those stay.
    private void DropStaleEndpoints()
    {
        EndpointList? known = Volatile.Read(ref _endpoints);
        if (known is not null && known.Generation != _claimed.Generation && Interlocked.CompareExchange(ref _endpoints, null, known) == known)
            known.DropTransfers();
    }

    /// <summary>
    /// Ends the claim: submissions are refused, what its endpoints created is stopped, and the last claim of an interface stops every transfer and ring on the
    /// interface's endpoints, waits until their callbacks have returned (handling events itself unless an event thread does), and releases the interface
    /// (<c>libusb_release_interface</c>). Called inside a callback of the context, it only begins and does not wait; the rest happens right after the call that
    /// handles the events. May be called more than once; every caller waits for the end.
    /// </summary>
    /// <remarks>
    /// Transfers that its endpoints created are disposed. Transfers that <see cref="UsbDeviceHandle.CreateTransfer"/> created are only stopped: they can be
    /// submitted again when the interface is claimed again. A synchronous transfer of another thread is not waited for: on Linux it ends because the interface is
    /// released, and throws.
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

    /// <summary>Ends the claim as <see cref="Dispose"/> does, and waits without blocking the calling thread.</summary>
    /// <returns>Completes when the claim has ended.</returns>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public ValueTask DisposeAsync()
    {
        BeginClosing();
        return new ValueTask(_closing.IsClosed ? _closing.Completion : Task.Run(() => FinishClosing(mayWait: true)));
    }

    /// <summary>Refuses an interface that is closing.</summary>
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
            UsbError.NotFound, operation, hint: other is null ? list : $"Alternate setting {other.Number} has one: call SetAlternateSetting({other.Number}). {list}");
    }

    /// <summary>Represents the endpoints of one generation.</summary>
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
