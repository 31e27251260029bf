namespace Native.LibUsb.Testing;

/// <summary>Represents the host of a bus. The host makes the devices visible to programs, and passes the programs' transfers to the bus.</summary>
internal abstract class BusHost(VirtualBus bus) : IDisposable
{
    protected VirtualBus Bus { get; } = bus;

    /// <summary>Gets the directory that contains the /sys and /dev of the programs.</summary>
    public abstract string RootDirectory { get; }

    /// <summary>Gets the environment variables with which a program must be started to use the bus.</summary>
    public abstract IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>
    /// Gets whether the host hides resets from the device. A host that uses USB/IP hides resets, because USB/IP does not transmit them. With such a host, the
    /// device must detect a reset by the requests that follow the reset.
    /// </summary>
    public virtual bool HidesResets => false;

    /// <summary>
    /// Attaches a device to a port, or to the first free port if <paramref name="port"/> is null. When the method returns, programs can find the device. The
    /// caller holds the bus's lock.
    /// </summary>
    public abstract void Plug(VirtualDevice device, string? port);

    /// <summary>
    /// Unplugs the devices one after the other. When the method returns, programs can no longer find the devices. The caller holds the bus's lock.
    /// </summary>
    public abstract void Unplug(IReadOnlyList<VirtualDevice> devices);

    /// <summary>Reports that the configuration of a device has changed. The caller holds the device's lock.</summary>
    public virtual void ConfigurationChanged(VirtualDevice device)
    {
    }

    /// <summary>Reports that claims or drivers of a device have changed. The caller holds the device's lock.</summary>
    public virtual void DriversChanged(VirtualDevice device)
    {
    }

    /// <summary>Reports that the alternate setting of an interface has changed. The caller holds the device's lock.</summary>
    public virtual void SettingChanged(VirtualDevice device, byte interfaceNumber)
    {
    }

    /// <summary>Stops accepting connections. The bus calls the method once, after all devices have been unplugged. The bus holds no lock during this
    /// call.</summary>
    public virtual void StopAccepting()
    {
    }

    /// <summary>Releases the resources of the host, after all connections have been closed.</summary>
    public abstract void Dispose();
}
