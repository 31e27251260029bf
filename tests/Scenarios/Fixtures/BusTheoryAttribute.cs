using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>
/// Represents a theory that needs the virtual bus in this process. If the bus is not available, the theory is skipped and reports the reason.
/// </summary>
public sealed class BusTheoryAttribute : TheoryAttribute
{
    public BusTheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Skip = VirtualBus.UnavailableReason;
}
