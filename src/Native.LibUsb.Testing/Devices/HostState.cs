using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>Represents the state that a host's kernel stores for a device: the claims and kernel drivers of its interfaces.</summary>
/// <remarks>Callers hold the device's lock. If a method fails, it returns a negative errno. Otherwise it returns 0 or a positive number.</remarks>
internal sealed class HostState(VirtualDevice device)
{
    private const int NoEntry = -2, Busy = -16, NoDevice = -19, InvalidArgument = -22, NoData = -61;
    private const string UsbfsDriver = "usbfs";
    private const uint IfDriver = 1, ExceptDriver = 2;

    private readonly Connection?[] _claims = new Connection?[32];
    private readonly string?[] _drivers = new string?[32];

    /// <summary>Binds the kernel drivers to their interfaces after the device has been configured.</summary>
    public void BindDrivers()
    {
        Array.Clear(_claims);
        Array.Clear(_drivers);
        foreach (InterfaceDescription one in device.ActiveConfiguration?.Interfaces ?? [])
            _drivers[one.Number] = one.KernelDriver ?? device.ActiveConfiguration!.SharedDriverOf(one.Number)?.Name;
        device.Bus?.DriversChanged(device);
    }

    public string? DriverOf(uint number) => number >= 32 ? null : _claims[number] is null ? _drivers[number] : UsbfsDriver;

    public int Perform(HostOperation operation, uint a, uint b, ReadOnlySpan<byte> payload, Connection from, Span<byte> reply, out int replyLength)
    {
        replyLength = 0;
        if (!device.IsAttached && operation != HostOperation.Close)
            return NoDevice;
        switch (operation)
        {
            case HostOperation.Claim:
                return Claim(a, from);
            case HostOperation.Release:
                return Release(a, from);
            case HostOperation.SetInterface:
                return SetInterface(a, b, from);
            case HostOperation.SetConfiguration:
                return SetConfiguration((int)a);
            case HostOperation.ClearHalt:
                if (device.Find((byte)a) is not { } endpoint)
                    return NoEntry;
                endpoint.ClearHalt();
                return 0;
            case HostOperation.Reset:
                return device.Reset() ? 0 : NoDevice;
            case HostOperation.GetDriver:
                if (a >= 32 || device.FindInterface(a) is null || DriverOf(a) is not { } driver)
                    return NoData;
                replyLength = Encoding.UTF8.GetBytes(driver, reply);
                return 0;
            case HostOperation.DisconnectDriver:
                return DisconnectDriver(a);
            case HostOperation.ConnectDriver:
                return ConnectDriver(a);
            case HostOperation.DisconnectClaim:
                return DisconnectClaim(a, b, Encoding.UTF8.GetString(payload), from);
            case HostOperation.AllocateStreams:
                return AllocateStreams(a, payload);
            case HostOperation.FreeStreams:
                return FreeStreams(payload);
            case HostOperation.Admit:
                return device.Admit((byte)a, (int)b);
            case HostOperation.Close:
                device.Disconnected(from);
                return 0;
            default:
                return InvalidArgument;
        }
    }

    public void ReleaseAll(Connection from)
    {
        for (uint number = 0; number < 32; number++)
            if (_claims[number] == from)
                Release(number, from);
    }

    private int Claim(uint number, Connection from)
    {
        if (number >= 32)
            return InvalidArgument;
        if (device.FindInterface(number) is null)
            return NoEntry;
        if (_claims[number] == from)
            return 0;
        if (DriverOf(number) is not null)
            return Busy;
        _claims[number] = from;
        device.Bus?.DriversChanged(device);
        return 0;
    }

    private int Release(uint number, Connection from)
    {
        if (number >= 32 || _claims[number] != from)
            return InvalidArgument;
        _claims[number] = null;
        device.Bus?.DriversChanged(device);
        // The kernel disables an interface's endpoints when it unbinds the driver, which cancels all their URBs.
        foreach (VirtualEndpoint endpoint in EndpointsOf(number))
        {
            endpoint.TakeAll(UrbStatus.Shutdown, from);
            endpoint.Streams = 0;
        }
        // As in the kernel, an interface returns to setting 0 when its last user releases it.
        if (device.AlternateOf((byte)number) != 0)
            device.SelectAlternate(number, 0);
        return 0;
    }

    private int SetInterface(uint number, uint setting, Connection from)
    {
        if (_claims.ElementAtOrDefault((int)number) != from)
            return Busy;
        // As in the kernel, the URBs are unlinked before the device receives the request, even if the device then refuses it.
        foreach (VirtualEndpoint endpoint in EndpointsOf(number))
            endpoint.TakeAll(UrbStatus.Unlinked, from);
        return device.SelectAlternate(number, setting) ? 0 : InvalidArgument;
    }

    /// <summary>
    /// Returns the endpoints of an interface in its active setting. If inconsistent descriptors assign an endpoint to several interfaces, the endpoint
    /// belongs to the first of these interfaces, as in the kernel.
    /// </summary>
    private IEnumerable<VirtualEndpoint> EndpointsOf(uint number) =>
        device.FindInterface(number) is not { } one ? []
        : one.AlternateSettings[device.AlternateOf((byte)number)].Endpoints.Where(endpoint => FirstWith(endpoint.Address) == one)
            .Select(endpoint => device.Find(endpoint.Address)).OfType<VirtualEndpoint>();

    private InterfaceDescription? FirstWith(byte address) =>
        device.ActiveConfiguration?.Interfaces.FirstOrDefault(one => one.AlternateSettings.Any(setting => setting.Endpoints.Any(endpoint => endpoint.Address == address)));

    private int SetConfiguration(int value)
    {
        if (Array.Exists(_claims, c => c is not null) || Array.Exists(_drivers, d => d is not null))
            return Busy;
        // Both -1 and 0 leave the device unconfigured.
        return device.SelectConfiguration(value == -1 ? 0 : value) ? 0 : InvalidArgument;
    }

    private int DisconnectDriver(uint number)
    {
        if (device.FindInterface(number) is null)
            return InvalidArgument;
        if (DriverOf(number) is null)
            return NoData;
        if (_claims[number] is { } owner)
            Release(number, owner);
        else
            Unbind((byte)number);
        device.Bus?.DriversChanged(device);
        return 0;
    }

    private int ConnectDriver(uint number)
    {
        if (device.FindInterface(number) is not { } one)
            return InvalidArgument;
        if (DriverOf(number) is not null)
            return Busy;
        bool isBound = one.KernelDriver is { } own ? Bind([one.Number], own)
            : device.ActiveConfiguration!.SharedDriverOf(one.Number) is { } shared && shared.Interfaces[0] == number && Bind(shared.Interfaces, shared.Name);
        device.Bus?.DriversChanged(device);
        return isBound ? 1 : 0;
    }

    /// <summary>
    /// Binds a kernel driver to all given interfaces. If one of the interfaces already has a driver or a claim, the method does nothing and returns false.
    /// </summary>
    private bool Bind(IReadOnlyList<byte> numbers, string driver)
    {
        if (numbers.Any(number => DriverOf(number) is not null))
            return false;
        foreach (byte number in numbers)
            _drivers[number] = driver;
        return true;
    }

    /// <summary>Unbinds the kernel driver from an interface and from all other interfaces to which the driver is bound.</summary>
    private void Unbind(byte number)
    {
        // Detaching a shared driver from any of its interfaces, including the first one, makes it release all of them.
        foreach (byte one in device.ActiveConfiguration?.SharedDriverOf(number)?.Interfaces ?? [number])
            if (_claims[one] is null)
                _drivers[one] = null;
    }

    private int DisconnectClaim(uint number, uint flags, string name, Connection from)
    {
        if (device.FindInterface(number) is null)
            return InvalidArgument;
        if (DriverOf(number) is { } driver)
        {
            if (((flags & IfDriver) != 0 && driver != name) || ((flags & ExceptDriver) != 0 && driver == name))
                return Busy;
            DisconnectDriver(number);
        }
        return Claim(number, from);
    }

    private int AllocateStreams(uint count, ReadOnlySpan<byte> addresses)
    {
        if (count is < 1 or > 65535)
            return InvalidArgument;
        int granted = (int)count;
        foreach (byte address in addresses)
        {
            if (device.Find(address)?.Description is not { Kind: EndpointKind.Bulk, MaxStreamsExponent: > 0 } endpoint || device.Description.Speed < VirtualSpeed.Super)
                return InvalidArgument;
            granted = Math.Min(granted, 1 << endpoint.MaxStreamsExponent);
        }
        foreach (byte address in addresses)
            device.Find(address)!.Streams = granted;
        return granted;
    }

    private int FreeStreams(ReadOnlySpan<byte> addresses)
    {
        foreach (byte address in addresses)
            if (device.Find(address) is not { Streams: > 0 })
                return InvalidArgument;
        foreach (byte address in addresses)
            device.Find(address)!.Streams = 0;
        return 0;
    }
}
