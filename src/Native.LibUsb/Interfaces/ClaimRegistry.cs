namespace Native.LibUsb;

/// <summary>
/// Represents the claims of all device handles in this process. With the registry, an error message can say that another handle of the program has claimed an
/// interface. The registry does not keep the handles alive.
/// </summary>
internal static class ClaimRegistry
{
    private static readonly List<WeakReference<InterfaceClaims>> s_all = [];

    public static void Add(InterfaceClaims claims)
    {
        lock (s_all)
        {
            s_all.RemoveAll(static one => !one.TryGetTarget(out _));
            s_all.Add(new WeakReference<InterfaceClaims>(claims));
        }
    }

    public static void Remove(InterfaceClaims claims)
    {
        lock (s_all)
            s_all.RemoveAll(one => !one.TryGetTarget(out InterfaceClaims? target) || target == claims);
    }

    /// <summary>
    /// Gets whether another handle of the same device in this process has claimed the interface. That handle can belong to another context.
    /// </summary>
    public static bool IsClaimedElsewhere(InterfaceClaims claims, int interfaceNumber)
    {
        UsbDevice device = claims.Handle.Device;
        InterfaceClaims[] others;
        lock (s_all)
            others = [.. s_all.Select(static one => one.TryGetTarget(out InterfaceClaims? target) ? target : null).OfType<InterfaceClaims>()];
        return Array.Exists(others, other => other != claims && other.Handle.Device is { } one && one.BusNumber == device.BusNumber && one.Address == device.Address && other.Has(interfaceNumber));
    }
}
