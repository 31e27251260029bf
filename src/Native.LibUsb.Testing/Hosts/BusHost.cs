namespace Native.LibUsb.Testing;

/// <summary>Represents the system's side of a bus: makes devices visible to programs, and brings their transfers to it.</summary>
internal abstract class BusHost(VirtualBus bus) : IDisposable
{
    protected VirtualBus Bus { get; } = bus;

    /// <summary>Gets where the /sys and /dev of the programs are.</summary>
    public abstract string RootDirectory { get; }

    /// <summary>Gets the environment variables that a program needs.</summary>
    public abstract IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Gets whether only resets that the device itself can see are known: USB/IP does not carry the signal.</summary>
    public virtual bool HidesResets => false;

    /// <summary>Attaches a device to a port (null for the first free one). Programs see it when this returns. The bus's lock is held.</summary>
    public abstract void Plug(VirtualDevice device, string? port);

    /// <summary>Unplugs the devices, one after the other; programs do not see them any more when this returns. The bus's lock is held.</summary>
    public abstract void Unplug(IReadOnlyList<VirtualDevice> devices);

    /// <summary>Reports that the device has another configuration. Its lock is held.</summary>
    public virtual void ConfigurationChanged(VirtualDevice device)
    {
    }

    /// <summary>Claims or drivers have changed. The device's lock is held.</summary>
    public virtual void DriversChanged(VirtualDevice device)
    {
    }

    /// <summary>Reports that an interface has another alternate setting. The device's lock is held.</summary>
    public virtual void SettingChanged(VirtualDevice device, byte interfaceNumber)
    {
    }

    /// <summary>Refuses new connections from now on. Called once, without locks, when all devices are unplugged.</summary>
    public virtual void StopAccepting()
    {
    }

    /// <summary>Ends the host, after all connections have ended.</summary>
    public abstract void Dispose();
}
