using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Keeps the interfaces that one device handle has claimed. libusb claims an interface once for a handle; claims of the library are counted, and the last one
/// releases the interface.
/// </summary>
internal sealed unsafe class InterfaceClaims
{
    /// <summary>libusb keeps claims in a set of 32 bits.</summary>
    private const int MaxInterfaces = 32;

    private readonly UsbDeviceHandle _handle;
    private readonly Lock _change = new();
    private readonly ClaimedInterface?[] _claimed = new ClaimedInterface?[MaxInterfaces];

    // Endpoints whose interface was disposed and not claimed again, one bit each. Transfers on them are not submitted.
    private int _closedEndpoints;

    public InterfaceClaims(UsbDeviceHandle handle)
    {
        _handle = handle;
        ClaimRegistry.Add(this);
    }

    public UsbDeviceHandle Handle => _handle;

    /// <summary>Refuses a number that no interface has.</summary>
    public static void CheckNumber(int interfaceNumber)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(interfaceNumber);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(interfaceNumber, MaxInterfaces);
    }

    /// <summary>Gets the bit of an endpoint: OUT endpoints are bits 0 to 15, IN endpoints bits 16 to 31.</summary>
    public static int Bit(byte endpoint) => 1 << (UsbEndpointAddress.Number(endpoint) + (UsbEndpointAddress.IsIn(endpoint) ? 16 : 0));

    /// <summary>Gets whether the interface of an endpoint was disposed and not claimed again.</summary>
    public bool IsClosed(byte endpoint) => (Volatile.Read(ref _closedEndpoints) & Bit(endpoint)) != 0;

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

    /// <summary>Claims an interface, or counts one more claim of it.</summary>
    public UsbError TryClaim(int interfaceNumber, out UsbInterface? claim)
    {
        claim = null;
        lock (_change)
        {
            using HandleLease lease = _handle.Lease();
            ClaimedInterface? claimed = _claimed[interfaceNumber];
            if (claimed is { IsClosing: true })
                return UsbError.Busy; // another thread releases it at this moment
            if (claimed is null)
            {
                int result = libusb.libusb_claim_interface(_handle.NativeHandle, interfaceNumber);
                if (result != 0)
                    return (UsbError)result;
                _claimed[interfaceNumber] = claimed = new ClaimedInterface(interfaceNumber, ReadSettings(interfaceNumber));
                Interlocked.And(ref _closedEndpoints, ~claimed.Endpoints);
                foreach (UsbTransfer transfer in _handle.TransfersOn(claimed.Has))
                    transfer.FollowClaims();
            }

            claimed.Count++;
            claim = new UsbInterface(_handle, claimed);
            return UsbError.Success;
        }
    }

    /// <summary>Begins to end one claim: what it must stop is stopped, and is not submitted again.</summary>
    /// <returns>Whether this is the last claim of the interface, so that everything on it is stopped.</returns>
    public bool BeginRelease(UsbInterface claim, ClaimedInterface claimed)
    {
        bool isLast;
        lock (_change)
        {
            isLast = --claimed.Count == 0;
            claimed.IsClosing = isLast;
        }

        if (isLast)
            Interlocked.Or(ref _closedEndpoints, claimed.Endpoints);
        _handle.StopEndpointUsers(user => user.Interface == claim || (isLast && claimed.Has(user.Endpoint))); // first: rings cancel their transfers from the last to the first
        foreach (UsbTransfer transfer in _handle.TransfersOf(claim, isLast ? claimed : null))
            transfer.StopForClosingInterface();
        return isLast;
    }

    /// <summary>Releases an interface at libusb, unless the device or the handle has gone, which released it. Nothing is in flight on it.</summary>
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
                // closed meanwhile, which released it
            }
        }
    }

    /// <summary>Releases everything, for a handle that closes.</summary>
    public void ReleaseAll()
    {
        foreach (int number in Numbers())
        {
            if (_claimed[number] is { } claimed)
                Release(claimed);
        }
    }

    /// <summary>The device was reset, or has another configuration: all endpoints become stale.</summary>
    public void BeginGeneration()
    {
        lock (_change)
        {
            foreach (ClaimedInterface claimed in _claimed.OfType<ClaimedInterface>())
            {
                claimed.ActiveSetting = null;
                claimed.BeginGeneration();
            }
        }
    }

    /// <summary>Gets the active setting of an interface. The system or the device is asked once, since another program may have chosen it.</summary>
    public UsbInterfaceDescriptor GetActiveSetting(ClaimedInterface claimed)
    {
        lock (_change)
        {
            if (claimed.ActiveSetting is { } known)
                return known;
        }

        int generation = claimed.Generation;
        int number = claimed.Settings.Count > 1 ? _handle.ReadAlternateSetting(claimed.Number) : 0; // not under the lock: it may be a control transfer
        UsbInterfaceDescriptor setting = FindSetting(claimed, number)
            ?? (claimed.Settings.Count > 0 ? claimed.Settings[0] : throw new UsbException(UsbError.NotFound, $"read the descriptor of interface {claimed.Number} of {_handle.Device}"));
        lock (_change)
            return claimed.Generation == generation ? claimed.ActiveSetting ??= setting : claimed.ActiveSetting ?? setting;
    }

    /// <summary>Activates a setting.</summary>
    public UsbError TrySetAlternateSetting(ClaimedInterface claimed, int alternateSetting)
    {
        lock (_change)
        {
            UsbError error = _handle.TrySetAlternateSetting(claimed.Number, alternateSetting);
            if (error == UsbError.Success)
            {
                claimed.ActiveSetting = FindSetting(claimed, alternateSetting);
                claimed.BeginGeneration();
            }

            return error;
        }
    }

    /// <summary>Finds the reason why a transfer was refused or failed with an error that hides it; null if there is none to find.</summary>
    public string? Diagnose(UsbError error, byte endpoint, UsbTransferType type)
    {
        if (error is not (UsbError.IO or UsbError.InvalidParameter or UsbError.NotFound or UsbError.Busy or UsbError.Other)
            || UsbEndpointAddress.Number(endpoint) == 0 || !TryReadConfiguration(out UsbConfigurationDescriptor? configuration))
        {
            return null;
        }

        UsbInterfaceDescriptor[] settings = [.. configuration.Interfaces.SelectMany(static one => one.AlternateSettings).Where(setting => setting.Endpoints.Any(one => one.Address == endpoint))];
        if (settings.Length == 0)
            return string.Create(CultureInfo.InvariantCulture, $"The active configuration of the device has no endpoint 0x{endpoint:x2}.");

        int number = settings[0].InterfaceNumber;
        ClaimedInterface? claimed;
        UsbInterfaceDescriptor? active;
        lock (_change)
        {
            claimed = number < MaxInterfaces ? _claimed[number] : null;
            active = claimed?.ActiveSetting;
        }

        // Elsewhere than on Linux the device would have to be asked, which takes a transfer.
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
        UsbTransferType actual = found.Endpoints.First(one => one.Address == endpoint).TransferType;
        UsbTransferType wanted = type == UsbTransferType.BulkStream ? UsbTransferType.Bulk : type;
        return actual == wanted ? null : string.Create(CultureInfo.InvariantCulture, $"Endpoint 0x{endpoint:x2} takes {actual} transfers, not {type} transfers.");
    }

    /// <summary>Describes who holds an interface, and what to do about it.</summary>
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

    /// <summary>Describes what keeps a configuration from being set.</summary>
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
            configuration = null; // not configured, unplugged or closed: there is nothing to look at
            return false;
        }
    }
}
