using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Facade;

/// <summary>A test that needs the virtual bus. Where there is none it is skipped, and the reason is printed.</summary>
public sealed class BusFactAttribute : FactAttribute
{
    public BusFactAttribute() => Skip = VirtualBus.UnavailableReason;
}

/// <summary>A theory that needs the virtual bus. Where there is none it is skipped, and the reason is printed.</summary>
public sealed class BusTheoryAttribute : TheoryAttribute
{
    public BusTheoryAttribute() => Skip = VirtualBus.UnavailableReason;
}
