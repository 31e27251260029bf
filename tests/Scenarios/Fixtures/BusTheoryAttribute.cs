using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>A theory that needs the virtual bus in this process; skipped with the reason where that is not possible.</summary>
public sealed class BusTheoryAttribute : TheoryAttribute
{
    public BusTheoryAttribute()
    {
        if (VirtualBus.UnavailableReason is { } reason)
            Skip = reason;
    }
}
