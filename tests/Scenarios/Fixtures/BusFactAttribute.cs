using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>Represents a test that needs the virtual bus in this process. If the bus is not available, the test is skipped and reports the reason.</summary>
public sealed class BusFactAttribute : FactAttribute
{
    public BusFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Skip = VirtualBus.UnavailableReason;
}
