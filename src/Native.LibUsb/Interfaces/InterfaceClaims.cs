using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents the interfaces that one device handle has claimed. libusb claims an interface only once for each handle, but several <see cref="UsbInterface"/>
/// objects can share this claim. The library counts these objects, and releases the interface when the last of them is disposed.
/// </summary>
internal sealed unsafe class InterfaceClaims
{
    /// <summary>The number of interfaces that libusb can claim, because libusb keeps the claims in a set of 32 bits.</summary>
    private const int MaxInterfaces = 32;

    private readonly UsbDeviceHandle _handle;
    private readonly Lock _change = new();
    private readonly ClaimedInterface?[] _claimed = new ClaimedInterface?[MaxInterfaces];

    // The endpoints of disposed interfaces. The index of the array is the interface number. If an interface was disposed and not claimed again, the element
    // contains the bits of the interface's endpoints. Otherwise, the element is 0.
    private readonly int[] _disposedEndpoints = new int[MaxInterfaces];

    // One bit for each closed endpoint (IsClosed). The library does not submit transfers on closed endpoints.
    private int _closedEndpoints;

    // The endpoints whose alternate setting is being changed. Transfers on these endpoints are not submitted.
    private int _changingEndpoints;

    private int _resets;

    public InterfaceClaims(UsbDeviceHandle handle)
    {
        _handle = handle;
        ClaimRegistry.Add(this);
    }

    public UsbDeviceHandle Handle => _handle;

    /// <summary>Throws an exception if the number is not a valid interface number.</summary>
    public static void CheckNumber(int interfaceNumber)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(interfaceNumber);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(interfaceNumber, MaxInterfaces);
    }

    /// <summary>Gets the number of an endpoint's bit: 0 to 15 for OUT endpoints, 16 to 31 for IN endpoints.</summary>
    public static int Place(byte endpoint) => UsbEndpointAddress.Number(endpoint) + (UsbEndpointAddress.IsIn(endpoint) ? 16 : 0);

    /// <summary>Gets the bit of an endpoint.</summary>
    public static int Bit(byte endpoint) => 1 << Place(endpoint);

    /// <summary>Gets the address of the endpoint whose bit has the given number.</summary>
    public static byte AddressAt(int place) => (byte)(place < 16 ? place : 0x80 | (place - 16));

    /// <summary>
    /// Gets whether an endpoint is closed. An endpoint is closed if its interface was disposed and not claimed again. Faulty descriptors may contain the same
    /// endpoint in several interfaces. Such an endpoint stays open as long as one of these interfaces is claimed.
    /// </summary>
    public bool IsClosed(byte endpoint) => (Volatile.Read(ref _closedEndpoints) & Bit(endpoint)) != 0;

    /// <summary>Gets whether the alternate setting of a transfer's endpoint is being changed.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="owner">The claim whose endpoint created the transfer; null if the device handle created the transfer.</param>
    public bool IsChanging(byte endpoint, UsbInterface? owner) =>
        owner?.Claimed.Has(endpoint) == true ? owner.Claimed.IsChanging && IsChanging(endpoint) : IsChanging(endpoint);

    /// <summary>Gets the number of resets of the device, including a reset that has begun.</summary>
    public int Resets => Volatile.Read(ref _resets);

    /// <summary>Gets whether an interface is claimed.</summary>
    public bool Has(int interfaceNumber)
    {
        lock (_change)
            return _claimed[interfaceNumber] is not null;
    }

    /// <summary>Gets the numbers of the claimed interfaces.</summary>
    public int[] Numbers()
    {
        lock (_change)
            return [.. _claimed.OfType<ClaimedInterface>().Select(static claimed => claimed.Number)];
    }

    /// <summary>Claims an interface, or adds a claim to an interface that is already claimed.</summary>
    public UsbError TryClaim(int interfaceNumber, out UsbInterface? claim)
    {
        claim = null;
        lock (_change)
        {
            using HandleLease lease = _handle.Lease();
            ClaimedInterface? claimed = _claimed[interfaceNumber];
            if (claimed is { IsClosing: true })
                return UsbError.Busy; // another thread is releasing the interface
            if (claimed is null)
            {
                int result = libusb.libusb_claim_interface(_handle.NativeHandle, interfaceNumber);
                if (result != 0)
                    return (UsbError)result;
                _claimed[interfaceNumber] = claimed = new ClaimedInterface(interfaceNumber, ReadSettings(interfaceNumber));
                _disposedEndpoints[interfaceNumber] = 0;
                FindClosedEndpoints();
                foreach (UsbTransfer transfer in _handle.TransfersOn(claimed.Has))
                    transfer.FollowClaims();
            }

            claimed.Count++;
            claim = new UsbInterface(_handle, claimed);
            return UsbError.Success;
        }
    }

    /// <summary>Prepares the end of one claim: stops the rings and transfers of the claim, and prevents later submissions.</summary>
    /// <returns>
    /// True if this is the last claim of the interface. In this case, the method has also stopped all other rings and transfers on the interface's endpoints.
    /// </returns>
    public bool BeginRelease(UsbInterface claim, ClaimedInterface claimed)
    {
        bool isLast;
        lock (_change)
        {
            isLast = --claimed.Count == 0;
            claimed.IsClosing = isLast;
            if (isLast)
            {
                _disposedEndpoints[claimed.Number] = claimed.Endpoints;
                FindClosedEndpoints();
            }
        }

        // Rings are stopped before transfers, because a ring cancels its own transfers from the last to the first.
        _handle.StopEndpointUsers(user => user.Interface == claim || (isLast && user.Interface.Claimed == claimed), UsbError.Closed);
        foreach (UsbTransfer transfer in _handle.TransfersOf(claim, isLast ? claimed : null))
            transfer.StopForClosingInterface();
        return isLast;
    }

    /// <summary>
    /// Releases an interface in libusb, unless the closing handle has already released the interface. The caller ensures that no transfer is in flight on the
    /// interface.
    /// </summary>
    public void Release(ClaimedInterface claimed)
    {
        lock (_change)
        {
            if (_claimed[claimed.Number] != claimed)
                return;
            _claimed[claimed.Number] = null;
            claimed.BeginGeneration();
            try
            {
                _handle.ReleaseInterface(claimed.Number);
            }
            catch (ObjectDisposedException)
            {
                // another thread has closed the handle, which released the interface
            }
        }
    }

    /// <summary>Releases all interfaces, for a closing handle.</summary>
    public void ReleaseAll()
    {
        foreach (int number in Numbers())
        {
            if (_claimed[number] is { } claimed)
                Release(claimed);
        }
    }

    /// <summary>Makes all endpoint objects stale, because the device was reset or has another configuration.</summary>
    public void BeginGeneration()
    {
        lock (_change)
        {
            foreach (ClaimedInterface claimed in _claimed.OfType<ClaimedInterface>())
            {
                claimed.ActiveSetting = null;
                BeginGeneration(claimed);
            }
        }
    }

    /// <summary>
    /// Gets the active setting of an interface. Another program may have chosen the setting, so the library reads the setting once from the system or the
    /// device, and stores it.
    /// </summary>
    public UsbInterfaceDescriptor GetActiveSetting(ClaimedInterface claimed)
    {
        lock (_change)
        {
            if (claimed.ActiveSetting is { } known)
                return known;
        }

        int generation = claimed.Generation;
        int number = claimed.Settings.Count > 1 ? _handle.ReadAlternateSetting(claimed.Number) : 0; // outside the lock, because this may be a control transfer
        UsbInterfaceDescriptor setting = FindSetting(claimed, number)
            ?? (claimed.Settings.Count > 0 ? claimed.Settings[0] : throw new UsbException(UsbError.NotFound, $"read the descriptor of interface {claimed.Number} of {_handle.Device}"));
        lock (_change)
            return claimed.Generation == generation ? claimed.ActiveSetting ??= setting : claimed.ActiveSetting ?? setting;
    }

    /// <summary>
    /// Activates a setting, unless an endpoint of the interface is busy. If a setting changes while a transfer is in flight, the system ends the transfer, and
    /// libusb wrongly reports the transfer as successful.
    /// </summary>
    /// <param name="claim">The claim of the interface.</param>
    /// <param name="alternateSetting">The setting.</param>
    /// <param name="busy">The busy endpoint that prevented the change; null if no endpoint was busy.</param>
    /// <exception cref="ObjectDisposedException">Another thread disposed the claim or the handle while the call waited for the lock.</exception>
    public UsbError TrySetAlternateSetting(UsbInterface claim, int alternateSetting, out byte? busy)
    {
        ClaimedInterface claimed = claim.Claimed;
        busy = _handle.FindActiveEndpoint(claimed); // checked before BeginChange stops submissions, so that a running stream continues
        if (busy is not null)
            return UsbError.Busy;
        lock (_change)
        {
            claim.CheckOpen(); // the caller may have waited while another thread changed a setting
            BeginChange(claimed);
            try
            {
                busy = _handle.FindActiveEndpoint(claimed);
                if (busy is not null)
                    return UsbError.Busy;
                UsbError error = _handle.TrySetAlternateSetting(claimed.Number, alternateSetting);
                if (error == UsbError.Success)
                {
                    claimed.ActiveSetting = FindSetting(claimed, alternateSetting);
                    BeginGeneration(claimed);
                }

                return error;
            }
            finally
            {
                EndChange(claimed);
            }
        }
    }

    /// <summary>
    /// Begins a reset of the device. Until <see cref="EndReset"/>, reads and writes on the endpoints of claimed interfaces throw an exception.
    /// </summary>
    /// <returns>The claimed interfaces, which the caller passes to <see cref="EndReset"/>.</returns>
    public ClaimedInterface[] BeginReset()
    {
        lock (_change)
        {
            Interlocked.Increment(ref _resets);
            ClaimedInterface[] all = [.. _claimed.OfType<ClaimedInterface>()];
            Array.ForEach(all, static claimed => claimed.BeginChange());
            return all;
        }
    }

    /// <summary>Ends a reset: endpoints can be read and written again. If the reset succeeded, all existing endpoint objects become stale.</summary>
    public void EndReset(ClaimedInterface[] all, bool wasReset)
    {
        if (wasReset)
            BeginGeneration();
        Array.ForEach(all, static claimed => claimed.EndChange());
    }

    /// <summary>
    /// Gets the packet size of an endpoint in the active setting of a claimed interface. The result is 0 if the library has not determined the active setting,
    /// or if no claimed interface has the endpoint in its active setting.
    /// </summary>
    public int PacketSizeOf(byte endpoint)
    {
        lock (_change)
            return _claimed.SelectMany(static claimed => claimed?.ActiveSetting?.Endpoints ?? []).FirstOrDefault(one => one.Address == endpoint)?.MaxPacketSize ?? 0;
    }

    /// <summary>Gets whether the active configuration has an interface; true if the configuration cannot be read.</summary>
    public bool HasInterface(int number) => !TryReadConfiguration(out UsbConfigurationDescriptor? configuration) || configuration.Interfaces.Any(one => one.Number == number);

    /// <summary>Lists the interfaces of the active configuration; null if the configuration cannot be read.</summary>
    public string? ListInterfaces() => TryReadConfiguration(out UsbConfigurationDescriptor? configuration)
        ? string.Create(CultureInfo.InvariantCulture, $"Interfaces of the active configuration: {string.Join(", ", configuration.Interfaces.Select(static one => one.Number).Distinct())}.")
        : null;

    /// <summary>
    /// Finds the reason why a control request failed, if the error code alone does not show the reason. The result is null if no reason is found.
    /// </summary>
    /// <param name="error">The error that libusb returned.</param>
    /// <param name="requestType"><c>bmRequestType</c>.</param>
    /// <param name="index"><c>wIndex</c>: the low byte is the number of the interface.</param>
    public string? DiagnoseControl(UsbError error, byte requestType, ushort index)
    {
        const byte kindMask = 0x60, recipientMask = 0x1f;
        int number = (byte)index;
        bool isForInterface = (requestType & recipientMask) == (int)UsbRecipient.Interface && (requestType & kindMask) != (int)UsbRequestKind.Vendor;
        return isForInterface && error is UsbError.IO or UsbError.InvalidParameter or UsbError.NotFound or UsbError.Busy && number < MaxInterfaces && !Has(number)
            ? string.Create(CultureInfo.InvariantCulture, $"The request is for interface {number}, which is not claimed through this handle. ") + Holder(number)
            : null;
    }

    /// <summary>Finds the reason why a transfer failed, if the error code alone does not show the reason. The result is null if no reason is found.</summary>
    /// <param name="error">The error that libusb returned.</param>
    /// <param name="endpoint">The endpoint's address.</param>
    /// <param name="type">The type of the transfer.</param>
    /// <param name="packetLength">The length of the transfer's longest isochronous packet in bytes.</param>
    public string? Diagnose(UsbError error, byte endpoint, UsbTransferType type, int packetLength = 0)
    {
        if (error is not (UsbError.IO or UsbError.InvalidParameter or UsbError.NotFound or UsbError.Busy or UsbError.Other)
            || UsbEndpointAddress.Number(endpoint) == 0 || !TryReadConfiguration(out UsbConfigurationDescriptor? configuration))
        {
            return null;
        }

        UsbInterfaceDescriptor[] settings = [.. configuration.Interfaces.SelectMany(static one => one.AlternateSettings).Where(setting => setting.Endpoints.Any(one => one.Address == endpoint))];
        if (settings.Length == 0)
            return string.Create(CultureInfo.InvariantCulture, $"The active configuration of the device has no endpoint 0x{endpoint:x2}.");

        // Faulty descriptors may contain the same endpoint in several interfaces, or an interface whose number is too large for libusb.
        ClaimedInterface? claimed;
        UsbInterfaceDescriptor? active;
        lock (_change)
        {
            claimed = settings.Select(setting => setting.InterfaceNumber < MaxInterfaces ? _claimed[setting.InterfaceNumber] : null).FirstOrDefault(static one => one is not null);
            active = claimed?.ActiveSetting;
        }

        int number = claimed?.Number ?? settings[0].InterfaceNumber;
        if (number >= MaxInterfaces)
            return string.Create(CultureInfo.InvariantCulture, $"Endpoint 0x{endpoint:x2} is of interface {number}, and libusb can claim the interfaces 0 to {MaxInterfaces - 1} only.");
        settings = Array.FindAll(settings, setting => setting.InterfaceNumber == number);

        // On systems other than Linux, the library would have to read the setting from the device, which takes a transfer.
        if (active is null && claimed is { Settings.Count: > 0 } && OperatingSystem.IsLinux())
            active = GetActiveSetting(claimed);
        if (claimed is null)
            return string.Create(CultureInfo.InvariantCulture, $"Endpoint 0x{endpoint:x2} is of interface {number}, which is not claimed through this handle. ") + Holder(number);
        if (active is not null && Array.TrueForAll(settings, setting => setting.Number != active.Number))
        {
            string numbers = string.Join(", ", settings.Select(static setting => setting.Number));
            return string.Create(CultureInfo.InvariantCulture,
                $"Endpoint 0x{endpoint:x2} is in alternate setting {numbers} of interface {number}, and setting {active.Number} is active: call SetAlternateSetting.");
        }

        UsbInterfaceDescriptor found = Array.Find(settings, setting => setting.Number == active?.Number) ?? settings[0];
        UsbEndpointDescriptor descriptor = found.Endpoints.First(one => one.Address == endpoint);
        UsbTransferType actual = descriptor.TransferType;
        UsbTransferType wanted = type == UsbTransferType.BulkStream ? UsbTransferType.Bulk : type;
        return actual == wanted
            ? TransferHint.ForPacket(error, packetLength, descriptor)
            : string.Create(CultureInfo.InvariantCulture, $"Endpoint 0x{endpoint:x2} takes {actual} transfers, not {type} transfers.");
    }

    /// <summary>Describes the holder of an interface, and how to get the interface.</summary>
    public string Holder(int interfaceNumber)
    {
        if (Has(interfaceNumber))
            return string.Create(CultureInfo.InvariantCulture, $"Interface {interfaceNumber} is claimed through this handle: dispose its UsbInterface first.");
        if (ClaimRegistry.IsClaimedElsewhere(this, interfaceNumber))
            return string.Create(CultureInfo.InvariantCulture, $"Another handle of this program has claimed interface {interfaceNumber}: dispose its UsbInterface first.");
        if (_handle.TryGetKernelDriver(interfaceNumber, out string? driver))
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"The kernel driver{(driver is null ? "" : $" '{driver}'")} holds interface {interfaceNumber}: detach it (DetachKernelDriver or SetAutoDetachKernelDriver).");
        }

        return string.Create(CultureInfo.InvariantCulture, $"If another program has claimed interface {interfaceNumber}, close it; otherwise call ClaimInterface.");
    }

    /// <summary>Describes the holder of an interface that prevents a new configuration.</summary>
    public string? HolderOfConfiguration()
    {
        if (!TryReadConfiguration(out UsbConfigurationDescriptor? configuration))
            return null;
        int[] numbers = [.. configuration.Interfaces.Select(static one => one.Number).Where(static number => number is >= 0 and < MaxInterfaces)];
        int held = Array.FindIndex(numbers, number => Has(number) || ClaimRegistry.IsClaimedElsewhere(this, number) || _handle.TryGetKernelDriver(number, out _));
        return held < 0
            ? "An interface is claimed by another program: no interface may be claimed while the configuration is set."
            : Holder(numbers[held]) + " No interface may be claimed while the configuration is set.";
    }

    private bool IsChanging(byte endpoint) => (Volatile.Read(ref _changingEndpoints) & Bit(endpoint)) != 0;

    // Before a thread submits a transfer, it counts the transfer as in flight, and only then checks whether the setting is being changed. Before a thread
    // changes the setting, it calls this method, and only then checks for transfers in flight. Therefore, at least one of the two threads detects the other.
    // _changingEndpoints does not include endpoints with rings: if a ring is active, the setting does not change, and the ring must be able to continue. During
    // the change, no ring is created.
    private void BeginChange(ClaimedInterface claimed)
    {
        claimed.BeginChange();
        Volatile.Write(ref _changingEndpoints, claimed.Endpoints & ~_handle.EndpointsWithUser());
        foreach (UsbTransfer transfer in _handle.TransfersOn(claimed.Has))
            transfer.FollowClaims();
    }

    private void EndChange(ClaimedInterface claimed)
    {
        Volatile.Write(ref _changingEndpoints, 0);
        claimed.EndChange();
        foreach (UsbTransfer transfer in _handle.TransfersOn(claimed.Has))
            transfer.FollowClaims();
    }

    // The caller holds the lock of the claims.
    private void FindClosedEndpoints()
    {
        int open = 0, disposed = 0;
        for (int number = 0; number < MaxInterfaces; number++)
        {
            disposed |= _disposedEndpoints[number];
            if (_claimed[number] is { IsClosing: false } claimed)
                open |= claimed.Endpoints;
        }

        Volatile.Write(ref _closedEndpoints, disposed & ~open);
    }

    /// <summary>
    /// Makes the endpoint objects of an interface stale, including the transfers that these objects created. The caller holds the lock of the claims.
    /// </summary>
    private void BeginGeneration(ClaimedInterface claimed)
    {
        claimed.BeginGeneration();
        foreach (UsbTransfer transfer in _handle.TransfersCreatedOn(claimed))
            transfer.MarkStale();
    }

    private static UsbInterfaceDescriptor? FindSetting(ClaimedInterface claimed, int number) => claimed.Settings.FirstOrDefault(setting => setting.Number == number);

    private UsbInterfaceDescriptor[] ReadSettings(int interfaceNumber) => TryReadConfiguration(out UsbConfigurationDescriptor? configuration)
        ? [.. configuration.Interfaces.SelectMany(static one => one.AlternateSettings).Where(setting => setting.InterfaceNumber == interfaceNumber)]
        : [];

    private bool TryReadConfiguration([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out UsbConfigurationDescriptor? configuration)
    {
        try
        {
            configuration = _handle.Device.GetActiveConfigurationDescriptor();
            return true;
        }
        catch (Exception exception) when (exception is UsbException or ObjectDisposedException)
        {
            configuration = null; // the device is not configured or unplugged, or the handle is closed
            return false;
        }
    }
}
