using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>A test that needs the virtual bus in this process; skipped with the reason where that is not possible.</summary>
public sealed class BusFactAttribute : FactAttribute
{
    public BusFactAttribute()
    {
        if (VirtualBus.UnavailableReason is { } reason)
            Skip = reason;
    }
}

/// <summary>The same, with data.</summary>
public sealed class BusTheoryAttribute : TheoryAttribute
{
    public BusTheoryAttribute()
    {
        if (VirtualBus.UnavailableReason is { } reason)
            Skip = reason;
    }
}
