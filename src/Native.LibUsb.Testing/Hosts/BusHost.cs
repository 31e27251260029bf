namespace Native.LibUsb.Testing;

/// <summary>The system's side of a bus: makes devices visible to programs, and brings their transfers to it.</summary>
internal abstract class BusHost(VirtualBus bus) : IDisposable
{
    protected VirtualBus Bus { get; } = bus;

    /// <summary>Where the /sys and /dev of the programs are.</summary>
    public abstract string RootDirectory { get; }

    /// <summary>What a program needs in its environment.</summary>
    public abstract IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Whether only resets that the device itself can see are known: USB/IP does not carry the signal.</summary>
    public virtual bool HidesResets => false;

    /// <summary>A device comes to a port (null for the first free one), and is there for programs when this returns. The bus's lock is held.</summary>
    public abstract void Plug(VirtualDevice device, string? port);

    /// <summary>The devices' plugs are pulled, one after the other; they are gone for programs when this returns. The bus's lock is held.</summary>
    public abstract void Unplug(IReadOnlyList<VirtualDevice> devices);

    /// <summary>The device has another configuration. Its lock is held.</summary>
    public virtual void ConfigurationChanged(VirtualDevice device)
    {
    }

    /// <summary>Claims or drivers have changed. The device's lock is held.</summary>
    public virtual void DriversChanged(VirtualDevice device)
    {
    }

    /// <summary>An interface has another alternate setting. The device's lock is held.</summary>
    public virtual void SettingChanged(VirtualDevice device, byte interfaceNumber)
    {
    }

    /// <summary>No new connections come after this. Called once, without locks, when all devices are unplugged.</summary>
    public virtual void StopAccepting()
    {
    }

    /// <summary>Called last, when all connections have ended.</summary>
    public abstract void Dispose();
}
